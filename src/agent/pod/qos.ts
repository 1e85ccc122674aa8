import { quantityInNano } from '../../api/quantity.ts';
import type { Pod } from '../../api/core/pod.ts';
import type { PodStatus } from '../../api/core/pod/pod-status.ts';
import { allContainersOf } from './state.ts';

const counted = ['cpu', 'memory'];

/** The quality-of-service class: from requests and limits of cpu and memory. */
export function qosClassOf(pod: Pod): NonNullable<PodStatus['qosClass']> {
  const containers = allContainersOf(pod);
  const amounts = containers.flatMap(({ resources }) =>
    counted.map((name) => ({ limit: amount(resources?.limits?.[name]), request: amount(resources?.requests?.[name]) })),
  );
  if (amounts.every(({ limit, request }) => limit === 0n && request === 0n)) return 'BestEffort';
  const isFull = amounts.every(({ limit, request }) => limit > 0n && (request === 0n || request === limit));
  return isFull ? 'Guaranteed' : 'Burstable';
}

function amount(text: string | undefined): bigint {
  return text === undefined ? 0n : (quantityInNano(text) ?? 0n);
}
