import type { Backend, Frontend, FrontendChanges, Target } from '../../routing/frontend.ts';
import { schedulers } from '../../routing/scheduler.ts';
import { targetPort } from './server.ts';

/** Frontends for tests of a plane's own ways; what planes must do with packets is in `cases/`. */

/** Addresses of a plane's world. In the kernel's they are machines; on the userspace plane all are loopback. */
export interface World {
  readonly family: 'IPv4' | 'IPv6';
  /** Pods that serve. All are on this node but `pod3`. */
  readonly pods: { readonly pod1: string; readonly pod2: string; readonly pod3: string };
  /** Addresses of Services. */
  readonly services: readonly [string, string, string];
  /** Inside the service range, no Service. */
  readonly unallocated: string;
  /** Belongs to no machine: an external or load balancer address. */
  readonly external: string;
  /** The node's own. */
  readonly node: string;
  readonly sources: { readonly outside: string; readonly client: string };
}

/** Builds frontends of a world. */
export class Frontends {
  readonly #world: World;
  /** The port of every Service. */
  readonly servicePort: number;

  constructor(world: World, servicePort = 80) {
    this.#world = world;
    this.servicePort = servicePort;
  }

  backend(pod: keyof World['pods'], weight = 1): Backend {
    return { address: this.#world.pods[pod], port: targetPort, weight, local: pod !== 'pod3', pod: `test/${pod}` };
  }

  forward(...pods: (keyof World['pods'])[]): Target {
    return { verdict: 'forward', backends: pods.map((pod) => this.backend(pod)) };
  }

  make(
    kind: Frontend['kind'],
    address: string | undefined,
    port: number,
    target: Target,
    more: Partial<Frontend> = {},
  ) {
    const protocol = more.protocol ?? 'TCP';
    const { family } = this.#world;
    const host = address ?? '*';
    const frontend: Frontend = {
      key: `${family === 'IPv6' ? `[${host}]` : host}:${port}/${protocol}`,
      kind,
      family,
      address,
      port,
      protocol,
      service: 'test/web',
      portName: 'http',
      affinity: undefined,
      lastPort: undefined,
      scheduler: undefined,
      resetAfterSeconds: undefined,
      sourceRanges: undefined,
      internal: target,
      external: target,
      masquerade: kind === 'ClusterIP' ? 'off-cluster' : 'always',
      ...more,
    };
    return frontend;
  }

  clusterIp(target: Target, more: Partial<Frontend> = {}): Frontend {
    return this.make('ClusterIP', this.#world.services[0], this.servicePort, target, more);
  }
}

/** A frontend for each scheduler, and one without, over backends of different weights. */
export function everyScheduler(make: Frontends, address: string): Frontend[] {
  const backends = [make.backend('pod1', 3), make.backend('pod2'), make.backend('pod3', 2)];
  return [undefined, ...schedulers].map((scheduler, at) =>
    make.make('ClusterIP', address, 5000 + at, { verdict: 'forward', backends }, { scheduler }),
  );
}

/** The changes between two states. */
export function changesBetween(before: readonly Frontend[], after: readonly Frontend[]): FrontendChanges {
  const keys = new Set(after.map((frontend) => frontend.key));
  const removed = before.map((frontend) => frontend.key).filter((key) => !keys.has(key));
  return { changed: after, removed, triggeredAtMs: undefined };
}
