import { buildReply, recordsOf } from '../reply.ts';
import { stringsRdata } from '../wire/rdata.ts';
import { typeNumbers } from '../wire/types.ts';
import type { HandlerMaker } from './handler.ts';

const ttlSeconds = 3600;

/** ANY for names of others: a record that says it is not answered, so nobody can use this server to amplify (RFC 8482). */
export const answerAny: HandlerMaker = () => ({
  name: 'any',
  answer(query) {
    if (query.type !== typeNumbers.ANY) return undefined;
    const answers = recordsOf(query.name, typeNumbers.HINFO, ttlSeconds, [stringsRdata(['RFC8482', ''])]);
    return buildReply(query, { authoritative: false, answers });
  },
});
