import { deleteConnection, eachConnection, type TrackedConnection } from '../../linux/conntrack.ts';
import type { NetlinkSocket } from '../../linux/netlink/socket.ts';
import type { Frontend } from '../../routing/frontend.ts';
import { backendName } from '../backend-name.ts';
import { backendNamesOf, type Programmed } from './program.ts';
import type { Draft } from './state.ts';

const UDP = 17;

/** A UDP frontend some of whose tracked connections may lead where they should not any more. */
export interface StaleFrontend {
  readonly family: Frontend['family'];
  readonly address: string | undefined;
  readonly port: number;
  /** Names of backends whose connections stay. */
  readonly backends: ReadonlySet<string>;
}

/**
 * The UDP frontends of a draft that lose a backend, come or go. UDP has no end: the kernel would send the packets of a
 * lasting socket to where its first packet went for as long as they come. TCP ends by itself and is never touched.
 */
export function staleFrontends(draft: Draft, current: ReadonlyMap<string, Programmed>): StaleFrontend[] {
  const stale: StaleFrontend[] = [];
  for (const [key, next] of draft.programmed) {
    const old = current.get(key);
    const frontend = (next ?? old)?.frontend;
    if (frontend?.protocol !== 'UDP') continue;
    const backends = backendNamesOf(next);
    const isLosing = old === undefined || backendNamesOf(old).difference(backends).size > 0;
    if (isLosing) stale.push({ family: frontend.family, address: frontend.address, port: frontend.port, backends });
  }
  return stale;
}

/** Forgets tracked connections to the frontends that lead to none of their backends. */
export function forgetStaleConnections(socket: NetlinkSocket, stale: readonly StaleFrontend[]): void {
  for (const family of ['IPv4', 'IPv6'] as const) {
    const frontends = new Map(
      stale.filter((each) => each.family === family).map((each) => [`${each.address ?? '*'} ${each.port}`, each]),
    );
    if (frontends.size === 0) continue;
    const gone: TrackedConnection[] = [];
    eachConnection(socket, family, UDP, (connection) => {
      if (isStale(connection, frontends)) gone.push(connection);
    });
    for (const connection of gone) deleteConnection(socket, connection);
  }
}

function isStale({ original, reply }: TrackedConnection, frontends: ReadonlyMap<string, StaleFrontend>): boolean {
  const backend = backendName({ address: reply.source, port: reply.sourcePort });
  const exact = frontends.get(`${original.destination} ${original.destinationPort}`);
  if (exact !== undefined) return !exact.backends.has(backend);
  // A node port has no address of its own, so only connections that were redirected can be its.
  const nodePort = frontends.get(`* ${original.destinationPort}`);
  return nodePort !== undefined && reply.source !== original.destination && !nodePort.backends.has(backend);
}
