import type { Identity } from './answer-options.ts';
import { buildReply, codeReply } from './reply.ts';
import type { Reply } from './reply.ts';
import type { Query } from './wire/query.ts';
import { stringsRdata } from './wire/rdata.ts';
import { classChaos, rcodes, typeNumbers } from './wire/types.ts';

/** Names of class CH that say who answers (RFC 4892), and what answers. */
const texts = new Map<string, (identity: Identity) => string>([
  ['\x07version\x04bind\0', () => 'Fairlead'],
  ['\x07version\x06server\0', () => 'Fairlead'],
  ['\x02id\x06server\0', ({ name }) => name],
  ['\x08hostname\x04bind\0', ({ name }) => name],
]);

/** Answers class CH: which server this is. Everything else of the class is refused. */
export function answerChaos(query: Query, identity: Identity): Reply {
  const text = texts.get(query.key)?.(identity) ?? '';
  if (text === '') return codeReply(rcodes.REFUSED);
  const { TXT, ANY } = typeNumbers;
  if (query.type !== TXT && query.type !== ANY) return buildReply(query, {});
  const record = { name: query.name, type: TXT, class: classChaos, ttl: 0, rdata: stringsRdata([text]) };
  return buildReply(query, { answers: [record] });
}
