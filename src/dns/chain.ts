import { answerAny } from './handlers/answer-any.ts';
import { answerFromCluster } from './handlers/answer-from-cluster.ts';
import { answerSpecialNames } from './handlers/answer-special-names.ts';
import { forwardUpstream } from './handlers/forward-upstream.ts';
import type { HandlerMaker } from './handlers/handler.ts';

/**
 * A query goes down this list until a handler answers; those that stand around the others come first. The order is the
 * same for every server: policy sees the question after it was rewritten and before anything that was kept.
 */
export const chain: readonly HandlerMaker[] = [answerFromCluster, answerSpecialNames, answerAny, forwardUpstream];
