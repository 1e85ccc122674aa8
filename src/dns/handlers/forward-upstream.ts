import { buildReply, codeReply } from '../reply.ts';
import { resolverQuestion } from '../forward/resolver.ts';
import { extendedErrors, rcodes } from '../wire/types.ts';
import type { HandlerMaker } from './handler.ts';

/** Asks the upstream servers. The last handler: it answers everything, if only that it cannot. */
export const forwardUpstream: HandlerMaker = (_, { resolver }) => ({
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
    const asked = resolver.resolve(resolverQuestion(query));
    return asked?.then(({ rcode, answers, authorities, error, from }) => ({
      ...buildReply(query, { rcode, authoritative: false, answers, authorities, error }),
      isCached: from === 'cache',
    }));
  },
});
