import { buildReply, recordsOf } from '../reply.ts';
import type { Reply } from '../reply.ts';
import { soaRdata } from '../wire/rdata.ts';
import { classIn, extendedErrors, typeNumbers } from '../wire/types.ts';
import type { HandlerMaker } from './handler.ts';

/** How long others may keep it. */
const ttlSeconds = 30;

/**
 * Answers AAAA of names that others know with nothing (NODATA) where nobody could use the addresses, in place of asking for
 * them. Never says that a name does not exist. Who checks signatures (DO) gets the real answer.
 */
export const denyIpv6: HandlerMaker = ({ aaaa, dns64 }, { hasIpv6, resolver }) => {
  if (aaaa === 'ask' || dns64 !== undefined || resolver === undefined) return undefined;
  const reply = noAddress();
  return {
    name: 'ipv6',
    answer({ type, recursionDesired, edns }) {
      const isAsked = type !== typeNumbers.AAAA || !recursionDesired || edns?.dnssecOk === true;
      return isAsked || (aaaa === 'auto' && hasIpv6()) ? undefined : reply;
    },
  };
};

/** The SOA lets askers keep the answer (RFC 2308 5). It is of the root, which every name is below: one reply fits all. */
function noAddress(): Reply {
  const numbers = { serial: 1, refresh: 7200, retry: 1800, expire: 86_400, minimum: ttlSeconds };
  const authorities = recordsOf('\0', typeNumbers.SOA, ttlSeconds, [soaRdata('\0', '\0', numbers)]);
  const question = { name: '\0', type: typeNumbers.AAAA, class: classIn };
  const error = { code: extendedErrors.synthesized, text: 'there is no IPv6 here to use an AAAA record with' };
  return buildReply(question, { authoritative: false, authorities, error });
}
