import type { Service } from '../api/core/service.ts';
import type { EndpointSlice } from '../api/discovery/endpoint-slice.ts';
import type { Frontend } from './frontend.ts';
import type { Notice } from './notice.ts';

/** Builders for tests of routing and of what consumes it: complete objects from what a test cares about. */

/** `shop/cart`, ClusterIP 10.96.0.1, port 80/TCP named http, with `spec` and metadata laid over it. */
export function testService(
  spec: Partial<NonNullable<Service['spec']>> = {},
  metadata: Partial<Service['metadata']> = {},
  status?: Service['status'],
): Service {
  return {
    metadata: { name: 'cart', namespace: 'shop', ...metadata },
    spec: {
      type: 'ClusterIP',
      clusterIP: '10.96.0.1',
      clusterIPs: ['10.96.0.1'],
      ipFamilies: ['IPv4'],
      ports: [{ name: 'http', port: 80, protocol: 'TCP' }],
      ...spec,
    },
    status,
  };
}

type TestEndpoint = NonNullable<EndpointSlice['endpoints']>[number];

/**
 * An endpoint in one line: `10.0.0.1`, then words: `@node`, `!ready`, `terminating`, `!serving`, `zone=a` and `node=b`
 * (hints), `host=name`, `pod=name`.
 */
export function testEndpoint(text: string): TestEndpoint {
  const [address = '', ...words] = text.split(' ');
  const value = (name: string): string | undefined =>
    words.find((word) => word.startsWith(`${name}=`))?.slice(name.length + 1);
  const terminating = words.includes('terminating');
  const zone = value('zone');
  const node = value('node');
  const pod = value('pod');
  return {
    addresses: [address],
    conditions: {
      ready: !words.includes('!ready') && !terminating,
      serving: !words.includes('!serving'),
      terminating,
    },
    nodeName: words.find((word) => word.startsWith('@'))?.slice(1),
    hostname: value('host'),
    hints:
      zone || node ? { forZones: zone ? [{ name: zone }] : [], forNodes: node ? [{ name: node }] : [] } : undefined,
    targetRef: pod ? { kind: 'Pod', namespace: 'shop', name: pod } : undefined,
  };
}

/** A slice of `shop/cart`, port http → 8080/TCP, endpoints in the form of `testEndpoint`. */
export function testSlice(
  endpoints: readonly string[],
  over: Partial<EndpointSlice> = {},
  metadata: Partial<EndpointSlice['metadata']> = {},
): EndpointSlice {
  return {
    metadata: { name: 'cart-1', namespace: 'shop', labels: { 'kubernetes.io/service-name': 'cart' }, ...metadata },
    addressType: 'IPv4',
    ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
    endpoints: endpoints.map(testEndpoint),
    ...over,
  };
}

/**
 * A frontend in one line, as tests and people read it: `10.96.0.1:80/TCP ClusterIP → 10.0.0.1:8080*, 10.0.0.2:8080×3`. `*`
 * marks a backend on this node, `×` a weight other than 1.
 */
export function describeFrontend(frontend: Frontend): string {
  const words: string[] = [frontend.key, frontend.kind];
  if (frontend.lastPort) words.push(`to=${frontend.lastPort}`);
  if (frontend.scheduler) words.push(`scheduler=${frontend.scheduler}`);
  if (frontend.affinity) words.push(`affinity=${frontend.affinity.timeoutSeconds}s`);
  if (frontend.sourceRanges) words.push(`from=${frontend.sourceRanges.join(',')}`);
  if (frontend.resetAfterSeconds !== undefined) words.push(`reset=${frontend.resetAfterSeconds}s`);
  if (frontend.masquerade !== 'off-cluster') words.push(`masquerade=${frontend.masquerade}`);
  words.push('→', describeTarget(frontend.internal));
  if (frontend.external !== frontend.internal) words.push('| outside →', describeTarget(frontend.external));
  return words.join(' ');
}

function describeTarget(target: Frontend['internal']): string {
  if (target.verdict !== 'forward') return target.verdict;
  return target.backends
    .map(
      ({ address, port, local, weight }) => `${address}:${port}${local ? '*' : ''}${weight === 1 ? '' : `×${weight}`}`,
    )
    .join(', ');
}

/** A notice in one line: `shop/cart AddressConflict: gets no traffic on ...`. */
export function describeNotice({ service, reason, message }: Notice): string {
  return `${service} ${reason}: ${message}`;
}
