import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Service } from '../api/core/service.ts';
import type { EndpointSlice } from '../api/discovery/endpoint-slice.ts';
import { describeFrontend, describeNotice, testSlice } from './fixtures.ts';
import { createRouter } from './router.ts';
import type { RouterConfig } from './router.ts';

/** Objects in, frontends out, on node `a` in zone `z1`. */
export interface Case {
  readonly name: string;
  readonly config?: Partial<RouterConfig>;
  readonly service: Service;
  readonly slices?: readonly EndpointSlice[];
  readonly frontends: readonly string[];
  /** What there is to tell, without the name of the Service: `Reason: message`. */
  readonly notices?: readonly string[];
}

/** Declares a test for each case: the objects give the same in whatever order they come. */
export function declareCases(cases: readonly Case[]): void {
  for (const { name, config, service, slices = [], frontends, notices = [] } of cases) {
    test(name, () => {
      const forwards = createRouter({ nodeName: 'a', zone: 'z1', ...config });
      forwards.apply({ type: 'service', new: service });
      for (const slice of slices) forwards.apply({ type: 'slice', new: slice });
      const backwards = createRouter({ nodeName: 'a', zone: 'z1', ...config });
      for (const slice of slices.toReversed()) backwards.apply({ type: 'slice', new: slice });
      backwards.apply({ type: 'service', new: service });

      assert.deepEqual([...forwards.frontends()].map(describeFrontend), frontends);
      assert.deepEqual(
        [...forwards.notices()].map(describeNotice),
        notices.map((notice) => `shop/cart ${notice}`),
      );
      assert.deepEqual([...backwards.frontends()], [...forwards.frontends()]);
      assert.deepEqual([...backwards.notices()], [...forwards.notices()]);
    });
  }
}

/** What makes a `testService` one with node port 30080. */
export const nodePortSpec = {
  type: 'NodePort',
  ports: [{ name: 'http', port: 80, nodePort: 30080, protocol: 'TCP' }],
} as const;

/** What makes it one of both families. */
export const dual = {
  clusterIP: '10.96.0.1',
  clusterIPs: ['10.96.0.1', 'fd00::1'],
  ipFamilies: ['IPv4', 'IPv6'],
} as const;

/** A slice of `shop/cart` with weights. */
export function weighted(endpoints: readonly string[], weights: string): EndpointSlice {
  const labels = { 'kubernetes.io/service-name': 'cart' };
  return testSlice(endpoints, {}, { labels, annotations: { 'fairlead.dev/weights': weights } });
}
