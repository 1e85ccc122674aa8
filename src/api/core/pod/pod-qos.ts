import { quantityInNano } from '../../quantity.ts';
import type { Container } from './container.ts';
import type { PodSpec } from './pod-spec.ts';

/** Quality of service classes, from what containers ask for and are limited to. */

type Amounts = Readonly<Record<string, string>>;

const counted = ['cpu', 'memory'];

function positive(amounts: Amounts | undefined, name: string): bigint {
  return quantityInNano(amounts?.[name] ?? '0') ?? 0n;
}

function isGuaranteed({ resources }: Container): boolean {
  return counted.every((name) => {
    const limit = positive(resources?.limits, name);
    return limit > 0n && limit === positive(resources?.requests ?? resources?.limits, name);
  });
}

function asksForSomething({ resources }: Container): boolean {
  return counted.some((name) => positive(resources?.limits, name) > 0n || positive(resources?.requests, name) > 0n);
}

/** The class of a Pod: decides who is evicted first. */
export function qosClassOf(spec: PodSpec): 'Guaranteed' | 'Burstable' | 'BestEffort' {
  const containers = [...(spec.initContainers ?? []), ...spec.containers];
  if (!containers.some(asksForSomething)) return 'BestEffort';
  return containers.every(isGuaranteed) ? 'Guaranteed' : 'Burstable';
}
