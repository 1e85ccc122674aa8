import { formatRecord } from '../../presentation.ts';
import { extendedErrorsOf, optionCodes } from '../../wire/edns.ts';
import type { Message, ResourceRecord } from '../../wire/message.ts';
import { formatName } from '../../wire/names.ts';
import { flags, rcodeName, typeNumbers } from '../../wire/types.ts';

/**
 * An answer as a scenario says it: `NOERROR AA RA EDE 3`, then a line for each record as they come, those of the
 * authority section behind `auth`, additional ones behind `add`. A SOA is only named: its serial is a time.
 */
export function answerText(message: Message): string[] {
  const marks: string[] = (['AA', 'TC', 'RA', 'AD'] as const).filter((name) => (message.flags & flags[name]) !== 0);
  const errors = extendedErrorsOf(message.edns?.options ?? []).map(({ code }) => `EDE ${code}`);
  const cookies = (message.edns?.options ?? []).some(
    ({ code, data }) => code === optionCodes.cookie && data.length === 24,
  );
  if (cookies) marks.push('COOKIE');
  const lines = [
    ...message.answers.map((record) => lineOf(record, '')),
    ...message.authorities.map((record) => lineOf(record, 'auth ')),
    ...message.additionals.map((record) => lineOf(record, 'add ')),
  ];
  return [[rcodeName(message.rcode), ...marks, ...errors].join(' '), ...lines];
}

function lineOf(record: ResourceRecord, section: string): string {
  if (record.type === typeNumbers.SOA) return `${section}${formatName(record.name)} ${record.ttl} SOA`;
  return section + formatRecord(record, ' ').replace(' IN ', ' ');
}
