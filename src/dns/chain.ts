import { answerAny } from './handlers/answer-any.ts';
import { answerFromCluster } from './handlers/answer-from-cluster.ts';
import { answerFromExternal } from './handlers/answer-from-external.ts';
import { answerFromFiles } from './handlers/answer-from-files.ts';
import { answerFromHosts } from './handlers/answer-from-hosts.ts';
import { answerFromTemplates } from './handlers/answer-from-templates.ts';
import { answerSpecialNames } from './handlers/answer-special-names.ts';
import { answerTransfers } from './handlers/answer-transfers.ts';
import { completeSearch } from './handlers/complete-search.ts';
import { denyIpv6 } from './handlers/deny-ipv6.ts';
import { enforceAcl } from './handlers/enforce-acl.ts';
import { forwardUpstream } from './handlers/forward-upstream.ts';
import type { HandlerMaker } from './handlers/handler.ts';
import { hideNamespaces } from './handlers/hide-namespaces.ts';
import { logQueries } from './handlers/log-queries.ts';
import { rewriteQuestion } from './handlers/rewrite-question.ts';
import { translateDns64 } from './handlers/translate-dns64.ts';
import { trimAnswers } from './handlers/trim-answers.ts';

/**
 * A query goes down this list until a handler answers; those that stand around the others come first. The order is the
 * same for every server: policy sees the question after it was rewritten and before anything that answers or was kept.
 */
export const chain: readonly HandlerMaker[] = [
  logQueries,
  rewriteQuestion,
  completeSearch,
  enforceAcl,
  hideNamespaces,
  trimAnswers,
  translateDns64,
  answerTransfers,
  answerFromHosts,
  answerFromTemplates,
  answerFromFiles,
  answerFromExternal,
  answerFromCluster,
  answerSpecialNames,
  answerAny,
  denyIpv6,
  forwardUpstream,
];
