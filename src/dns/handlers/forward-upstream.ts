import { buildReply, codeReply } from '../reply.ts';
import type { Reply } from '../reply.ts';
import { resolverQuestion, type Resolved } from '../forward/resolver.ts';
import type { Query } from '../wire/query.ts';
import { extendedErrors, rcodes } from '../wire/types.ts';
import type { HandlerMaker } from './handler.ts';

/** Asks the upstream servers. The last handler: it answers everything, if only that it cannot. */
export const forwardUpstream: HandlerMaker = (_, { resolver, others }) => ({
  name: 'forward',
  answer(query) {
    if (!query.recursionDesired) return codeReply(rcodes.REFUSED);
    if (resolver === undefined) {
      return codeReply(rcodes.SERVFAIL, {
        code: extendedErrors.noReachableAuthority,
        text: 'no upstream server is configured',
      });
    }
    if (resolver.isOwnProbe(query.key)) return codeReply(rcodes.NXDOMAIN);
    const resolved = resolver.resolve(resolverQuestion(query, others?.takeGiven(query)));
    if (resolved instanceof Promise) return resolved.then((late) => replyOf(query, late));
    if (resolved === undefined) return undefined;
    const reply = replyOf(query, resolved);
    if (resolved.life !== undefined) others?.put(query, reply, resolved.life);
    return reply;
  },
});

function replyOf(query: Query, { rcode, answers, authorities, error, from }: Resolved): Reply {
  const reply = buildReply(query, { rcode, authoritative: false, answers, authorities, error });
  return { ...reply, isCached: from === 'cache' };
}
