import { answerAny } from './handlers/answer-any.ts';
import { answerFromCluster } from './handlers/answer-from-cluster.ts';
import { answerSpecialNames } from './handlers/answer-special-names.ts';
import { forwardUpstream } from './handlers/forward-upstream.ts';
import type { Handler } from './handlers/handler.ts';

/** A query goes down this list until a handler returns its answer. */
export const chain: readonly Handler[] = [answerFromCluster, answerSpecialNames, answerAny, forwardUpstream];
