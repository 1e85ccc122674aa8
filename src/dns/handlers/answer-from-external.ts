import { answerFrom, zoneTest } from './answer-from-cluster.ts';
import type { HandlerMaker } from './handler.ts';

/**
 * Answers names for those outside: of Services with outside addresses, and of the hosts of Ingresses, Gateways and routes.
 * It stands before the cluster's names, because an outside address may be in a reverse zone of the cluster.
 */
export const answerFromExternal: HandlerMaker = (settings, { external, again }) =>
  external && {
    name: 'external',
    answer: answerFrom({ ...external, again, isLeft: zoneTest(settings.external?.fallthrough ?? []) }),
  };
