import { formatRecord } from '../presentation.ts';
import type { ResourceRecord } from '../wire/message.ts';
import { nameKey } from '../wire/names.ts';
import { partsOfRdata } from '../wire/rdata.ts';
import { rcodeName, typeNumbers } from '../wire/types.ts';

/** What of an answer counts. */
export interface ComparedAnswer {
  readonly rcode: number;
  readonly answers: readonly ResourceRecord[];
  readonly authorities: readonly ResourceRecord[];
}

/**
 * How two answers differ in meaning; empty when they do not. The code and the set of answer records count, and in an answer
 * without records whether it has the SOA that says how long that holds (RFC 2308). Order, TTL, case, EDNS, flags and
 * additional records do not.
 */
export function differencesOf(ours: ComparedAnswer, theirs: ComparedAnswer): string[] {
  if (ours.rcode !== theirs.rcode) return [`${rcodeName(ours.rcode)} here, ${rcodeName(theirs.rcode)} there`];
  const [here, there] = [setOf(ours), setOf(theirs)];
  const differences = [
    ...ours.answers.filter((record) => !there.has(keyOf(record))).map((record) => `only here: ${textOf(record)}`),
    ...theirs.answers.filter((record) => !here.has(keyOf(record))).map((record) => `only there: ${textOf(record)}`),
  ];
  if (here.size > 0 || there.size > 0 || hasSoa(ours) === hasSoa(theirs)) return differences;
  return [`no SOA ${hasSoa(ours) ? 'there' : 'here'}`];
}

/** An answer in one line. */
export function answerText({ rcode, answers, authorities }: ComparedAnswer): string {
  const soa = answers.length === 0 && hasSoa({ rcode, answers, authorities }) ? ['with SOA'] : [];
  return [rcodeName(rcode), ...answers.map(textOf), ...soa].join(' | ');
}

function textOf(record: ResourceRecord): string {
  return formatRecord(record, ' ');
}

function hasSoa({ authorities }: ComparedAnswer): boolean {
  return authorities.some(({ type }) => type === typeNumbers.SOA);
}

function setOf({ answers }: ComparedAnswer): ReadonlySet<string> {
  return new Set(answers.map(keyOf));
}

/** Equal for records that say the same: names in lower case. */
function keyOf({ name, type, class: of, rdata }: ResourceRecord): string {
  const data = partsOfRdata(type, rdata).map((part) =>
    'name' in part ? nameKey(part.name) : Buffer.from(part.bytes).toString('latin1'),
  );
  return `${nameKey(name)} ${type} ${of} ${data.join('')}`;
}
