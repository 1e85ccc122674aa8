import { Service } from '../../api/core/service.ts';
import { EndpointSlice } from '../../api/discovery/endpoint-slice.ts';
import type { ApiObject } from '../../api/meta/object-meta.ts';
import type { Caches, Change } from '../../client/caches.ts';
import type { Clock } from '../../observe/clock.ts';
import type { Logger } from '../../observe/log.ts';
import { followServed } from '../served-kind.ts';
import type { ExternalChange, ExternalNames } from './external-names.ts';
import { Gateway, Ingress, routeKinds } from './kinds.ts';

export interface FollowExternalOptions {
  readonly caches: Caches;
  readonly logger: Logger;
  readonly clock: Clock;
}

/** The connection from the API to the names for those outside. Ingress and Gateway API count where the API serves them. */
export function followExternal(
  names: ExternalNames,
  { caches, logger, clock }: FollowExternalOptions,
): Disposable & { readonly knowledge: () => 'none' | 'synced'; readonly synced: Promise<void> } {
  let knowledge: 'none' | 'synced' = 'none';
  const into =
    <T extends ApiObject>(change: (object: { old: T | undefined; new: T | undefined }) => ExternalChange) =>
    (changes: readonly Change<T>[]): void =>
      names.apply(
        changes.map(({ old, current }) => change({ old, new: current })),
        Math.floor(clock.now() / 1000),
      );
  const [services, slices] = [caches.of(Service), caches.of(EndpointSlice)];
  const own = [
    services.subscribe(into<Service>((each) => ({ type: 'service', ...each }))),
    slices.subscribe(into<EndpointSlice>((each) => ({ type: 'slice', ...each }))),
  ];
  const served = [
    followServed(
      Ingress,
      into<Ingress>((each) => ({ type: 'ingress', ...each })),
      { caches, logger, clock },
    ),
    followServed(
      Gateway,
      into<Gateway>((each) => ({ type: 'gateway', ...each })),
      { caches, logger, clock },
    ),
    ...routeKinds.map((kind) =>
      followServed(
        kind,
        into((each) => ({ type: 'route', kind: kind.kind, ...each })),
        { caches, logger, clock },
      ),
    ),
  ];
  const synced = Promise.all([services, slices, ...served].map((each) => each.synced)).then(() => {
    knowledge = 'synced';
  });
  return {
    knowledge: () => knowledge,
    synced,
    [Symbol.dispose]() {
      for (const each of [...own, ...served]) each[Symbol.dispose]();
    },
  };
}
