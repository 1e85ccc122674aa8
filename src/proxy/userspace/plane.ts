import { errorText } from '../../observe/log.ts';
import type { Frontend, FrontendChanges, FrontendKey } from '../../routing/frontend.ts';
import type { Applied, Dataplane, FrontendCounters, NodeNetwork, RefusedFrontend } from '../dataplane.ts';
import { Listener } from './listener.ts';

/**
 * The plane that needs no privileges and runs on any platform: a TCP or UDP socket for each frontend with backends, on
 * addresses this machine already has (the loopback range), spliced to backends in this process.
 *
 * What it does not do: it ends with the process; connections are seen by backends as coming from this machine; a `drop`
 * is a refusal; every caller counts as inside; ports below `net.ipv4.ip_unprivileged_port_start` are refused.
 */
export function createUserspacePlane(network: NodeNetwork): Dataplane {
  /** Also those whose frontend is gone while connections of theirs live on. */
  const listeners = new Map<FrontendKey, Listener>();
  const inForce = (): readonly Listener[] => [...listeners.values()].filter((each) => each.frontend !== undefined);

  async function put(frontend: Frontend): Promise<RefusedFrontend | undefined> {
    const listener = listeners.get(frontend.key) ?? new Listener(network);
    listeners.set(frontend.key, listener);
    try {
      await listener.become(frontend);
      return undefined;
    } catch (error) {
      return { key: frontend.key, reason: await explain(error, frontend) };
    }
  }

  async function apply({ changed, removed }: Pick<FrontendChanges, 'changed' | 'removed'>): Promise<Applied> {
    const before = sockets(listeners);
    for (const key of removed) listeners.get(key)?.leave();
    const refused = (await Promise.all(changed.map(put))).filter((each) => each !== undefined);
    for (const [key, { frontend, connections }] of listeners) {
      if (frontend === undefined && connections.backends.length === 0) listeners.delete(key);
    }
    return { refused, operations: Math.abs(sockets(listeners) - before) + changed.length };
  }

  async function close(): Promise<void> {
    for (const listener of listeners.values()) listener.leave();
  }

  async function remove(): Promise<void> {
    await close();
    for (const listener of listeners.values()) listener.resetConnections();
    listeners.clear();
  }

  return {
    name: 'userspace',
    adopt: (desired) => apply({ changed: desired, removed: [...listeners.keys()] }),
    apply,
    dump: async () => inForce().flatMap(({ frontend }) => frontend ?? []),
    counters: async () => new Map(inForce().flatMap(countersOf)),
    close,
    remove,
    async retire(signal) {
      const ended = Promise.all([...listeners.values()].map((listener) => listener.retire()));
      await Promise.race([ended, aborted(signal)]);
      await remove();
    },
  };
}

function sockets(listeners: ReadonlyMap<string, Listener>): number {
  return [...listeners.values()].reduce((count, listener) => count + listener.size, 0);
}

function countersOf({ frontend, connectionCount }: Listener): [FrontendKey, FrontendCounters][] {
  return frontend === undefined || connectionCount === 0 ? [] : [[frontend.key, { connections: connectionCount }]];
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

async function explain(error: unknown, { address, port }: Frontend): Promise<string> {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'EACCES') return `port ${port} needs privileges: without root ${await unprivilegedPorts()}`;
  if (code === 'EADDRINUSE') return `another program has ${address === undefined ? 'node' : address} port ${port}`;
  if (code === 'EADDRNOTAVAIL')
    return `${address ?? 'the address'} is not an address of this machine${remedy(address)}`;
  return errorText(error);
}

/** The Linux parts are loaded only on Linux. */
async function unprivilegedPorts(): Promise<string> {
  if (process.platform !== 'linux') return 'only ports from 1024 can be had';
  const { readSysctl } = await import('../../linux/sysctl.ts');
  const setting = 'net.ipv4.ip_unprivileged_port_start';
  return `only ports from ${readSysctl(setting) ?? '1024'} (${setting}) can be had`;
}

/** macOS gives its loopback link 127.0.0.1 alone; Linux all of 127.0.0.0/8. */
function remedy(address: string | undefined): string {
  if (process.platform !== 'darwin' || address === undefined || !address.startsWith('127.')) return '';
  return `: "sudo ifconfig lo0 alias ${address}" makes it one`;
}
