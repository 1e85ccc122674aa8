import { readSysctl } from '../../linux/sysctl.ts';
import type { Frontend, FrontendChanges } from '../../routing/frontend.ts';
import type { Applied, Dataplane, NodeNetwork, RefusedFrontend } from '../dataplane.ts';
import { Listener } from './listener.ts';

/**
 * The plane that needs no privileges: a TCP or UDP socket for each frontend with backends, on addresses this machine
 * already has (the loopback range), spliced to backends in this process.
 *
 * What it does not do: it ends with the process; connections are seen by backends as coming from this machine; a `drop`
 * is a refusal; every caller counts as inside; ports below `net.ipv4.ip_unprivileged_port_start` are refused.
 */
export function createUserspacePlane(network: NodeNetwork): Dataplane {
  const listeners = new Map<string, Listener>();

  async function put(frontend: Frontend): Promise<RefusedFrontend | undefined> {
    const listener = listeners.get(frontend.key) ?? new Listener(frontend, network);
    try {
      await listener.become(frontend);
      listeners.set(frontend.key, listener);
      return undefined;
    } catch (error) {
      listener.close();
      listeners.delete(frontend.key);
      return { key: frontend.key, reason: explain(error, frontend) };
    }
  }

  function drop(key: string): void {
    listeners.get(key)?.close();
    listeners.delete(key);
  }

  async function apply({ changed, removed }: Pick<FrontendChanges, 'changed' | 'removed'>): Promise<Applied> {
    const before = sockets(listeners);
    for (const key of removed) drop(key);
    const refused = (await Promise.all(changed.map(put))).filter((each) => each !== undefined);
    return { refused, operations: Math.abs(sockets(listeners) - before) + changed.length };
  }

  async function close(): Promise<void> {
    for (const key of listeners.keys()) drop(key);
  }

  return {
    name: 'userspace',
    adopt: (desired) => apply({ changed: desired, removed: [...listeners.keys()] }),
    apply,
    dump: async () => [...listeners.values()].map((listener) => listener.frontend),
    counters: async () => new Map(),
    close,
    remove: close,
    retire: close,
  };
}

function sockets(listeners: ReadonlyMap<string, Listener>): number {
  return [...listeners.values()].reduce((count, listener) => count + listener.size, 0);
}

function explain(error: unknown, { address, port }: Frontend): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'EACCES') {
    const first = readSysctl('net.ipv4.ip_unprivileged_port_start') ?? '1024';
    return `port ${port} needs privileges: without root only ports from ${first} (net.ipv4.ip_unprivileged_port_start) can be had`;
  }
  if (code === 'EADDRINUSE') return `another program has ${address ?? 'the node port'} port ${port}`;
  if (code === 'EADDRNOTAVAIL') return `${address ?? 'the address'} is not an address of this machine`;
  return error instanceof Error ? error.message : String(error);
}
