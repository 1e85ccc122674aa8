import { buildReply, codeReply, recordsOf } from '../reply.ts';
import { isWithin } from '../wire/names.ts';
import { rcodes, typeNumbers } from '../wire/types.ts';
import type { HandlerMaker } from './handler.ts';

const localhost = '\x09localhost\0';
/** Names that exist nowhere: invalid (RFC 6761 6.4), onion (RFC 7686 2). */
const nowhere = ['\x07invalid\0', '\x05onion\0'];
const ttlSeconds = 86_400;

const loopback = new Map<number, Uint8Array>([
  [typeNumbers.A, Uint8Array.of(127, 0, 0, 1)],
  [typeNumbers.AAAA, Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1)],
]);

/** Names with a meaning of their own, which are never asked upstream: `localhost` is this machine (RFC 6761 6.3). */
export const answerSpecialNames: HandlerMaker = () => ({
  name: 'special',
  answer(query) {
    if (nowhere.some((zone) => isWithin(query.key, zone))) return codeReply(rcodes.NXDOMAIN);
    if (!isWithin(query.key, localhost)) return undefined;
    const rdata = loopback.get(query.type);
    return buildReply(query, { answers: recordsOf(query.name, query.type, ttlSeconds, rdata && [rdata]) });
  },
});
