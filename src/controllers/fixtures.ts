import type { Node } from '../api/core/node.ts';
import type { Container } from '../api/core/pod/container.ts';
import type { PodSpec } from '../api/core/pod/pod-spec.ts';
import type { PodStatus } from '../api/core/pod/pod-status.ts';
import type { Pod } from '../api/core/pod.ts';
import type { Service, ServiceSpec } from '../api/core/service.ts';
import type { ObjectMeta } from '../api/meta/object-meta.ts';

/** Objects for the controllers' tests: small, valid, and told apart by what a test says about them. */

export interface PodFixture {
  readonly name?: string;
  readonly labels?: Record<string, string>;
  readonly ip?: string;
  readonly ips?: readonly string[];
  readonly ready?: boolean;
  /** Of the Ready condition. */
  readonly since?: string;
  readonly node?: string;
  readonly phase?: PodStatus['phase'];
  readonly deleting?: boolean;
  readonly metadata?: Partial<ObjectMeta>;
  readonly spec?: Partial<PodSpec>;
  readonly ports?: Container['ports'];
}

/** A running, ready Pod `app=web` on node `n1` with an address, unless told otherwise. */
export function podFixture(fixture: PodFixture = {}): Pod {
  const { name = 'web-1', labels = { app: 'web' }, node = 'n1', ready = true, phase = 'Running' } = fixture;
  const ips = fixture.ips ?? [fixture.ip ?? '10.244.0.5'];
  const since = fixture.since ?? '2026-01-01T00:00:00Z';
  return {
    metadata: {
      name,
      namespace: 'default',
      uid: `uid-${name}`,
      resourceVersion: '1',
      creationTimestamp: '2026-01-01T00:00:00Z',
      labels,
      ...(fixture.deleting ? { deletionTimestamp: '2026-01-01T01:00:00Z' } : {}),
      ...fixture.metadata,
    },
    spec: {
      ...(node === '' ? {} : { nodeName: node }),
      containers: [{ name: 'main', image: 'i', ports: fixture.ports ?? [] }],
      ...fixture.spec,
    },
    status: {
      phase,
      conditions: [{ type: 'Ready', status: ready ? 'True' : 'False', lastTransitionTime: since }],
      ...(ips[0] ? { podIP: ips[0], podIPs: ips.map((ip) => ({ ip })) } : {}),
    },
  };
}

/** A ClusterIP Service `web` selecting `app=web`, port 80 to 8080, unless told otherwise. */
export function serviceFixture(spec: Partial<ServiceSpec> = {}, metadata: Partial<ObjectMeta> = {}): Service {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web', namespace: 'default', uid: 'uid-web', ...metadata },
    spec: {
      type: 'ClusterIP',
      clusterIP: '10.96.0.20',
      ipFamilies: ['IPv4'],
      selector: { app: 'web' },
      ports: [{ name: 'http', port: 80, targetPort: 8080, protocol: 'TCP' }],
      ...spec,
    },
  };
}

/** A ready Node, in a zone when given. */
export function nodeFixture(name = 'n1', zone?: string, metadata: Partial<ObjectMeta> = {}): Node {
  const labels = { 'kubernetes.io/hostname': name, ...(zone ? { 'topology.kubernetes.io/zone': zone } : {}) };
  return {
    metadata: { name, uid: `uid-${name}`, resourceVersion: '1', labels, ...metadata },
    spec: {},
    status: { conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: '2026-01-01T00:00:00Z' }] },
  };
}
