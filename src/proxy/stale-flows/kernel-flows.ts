import {
  connectionTable,
  type ConnectionFilter,
  deleteConnections,
  eachConnection,
  isTranslated,
  type TrackedConnection,
} from '../../linux/conntrack.ts';
import type { NetlinkSocket } from '../../linux/netlink/socket.ts';
import { inEachNetworkNamespace } from '../../linux/network-namespaces.ts';
import { openNetfilter } from '../../linux/nftables/dump.ts';
import { openRoute } from '../../linux/route.ts';
import { type ConnectedSocket, destroySockets, openSockDiag } from '../../linux/sock-diag.ts';
import type { Frontend } from '../../routing/frontend.ts';
import { backendName } from '../backend-name.ts';
import { astrayFlows, type EndedFlows, EndedFlowsIndex, type EndingFlow } from './ended-flows.ts';

const protocolNumbers = { UDP: 17, TCP: 6, SCTP: 132 } as const;
/** What reading an entry costs, in buckets walked. */
const bucketsPerEntry = 40;

/** The flows through this node, as something that can be ended. */
export interface FlowTable extends Disposable {
  /** Forgets tracked UDP flows: their next packets are looked at as first ones. */
  forget(ended: readonly EndedFlows[]): void;
  /** Resets TCP connections: at once those whose client is on this machine, the others at their next packet. */
  reset(ended: readonly EndedFlows[]): void;
  /** The backends that translated TCP connections of these frontends lead to, though the frontends have them no more. */
  astray(frontends: readonly Frontend[]): readonly EndedFlows[];
}

/** Runs something in each network namespace where clients of this machine may be. */
type InNamespaces = (work: () => void) => void;

/** The flows that the kernel tracks in the thread's network namespace. */
export function openKernelFlows(inNamespaces: InNamespaces = inEachNetworkNamespace): FlowTable {
  const socket = openNetfilter();
  return {
    forget: (ended) => forget(socket, ended),
    reset: (ended) => reset(socket, ended, inNamespaces),
    astray: (frontends) =>
      astrayFlows(frontends, (asked) => connectionsOf(socket, 'TCP', asked).filter(({ flow }) => isTranslated(flow))),
    [Symbol.dispose]: () => socket.close(),
  };
}

function forget(socket: NetlinkSocket, ended: readonly EndedFlows[]): void {
  deleteConnections(
    socket,
    connectionsOf(socket, 'UDP', ended).map(({ flow }) => flow),
  );
}

/**
 * The client's socket is destroyed where it is on this machine, in whichever network namespace, and takes its server's
 * with it by a reset. Of the rest the entry is deleted: the next packet is taken for a new connection and goes to a
 * backend that knows none, or to nobody: either answers with a reset.
 */
function reset(socket: NetlinkSocket, ended: readonly EndedFlows[], inNamespaces: InNamespaces): void {
  const found = connectionsOf(socket, 'TCP', ended).map(({ flow }) => flow);
  if (found.length === 0) return;
  const destroyed = destroyClients(found, inNamespaces);
  deleteConnections(
    socket,
    found.filter((connection) => !destroyed.has(socketName(clientOf(connection)))),
  );
}

/** Destroys the sockets of connections' clients on this machine; returns which. */
function destroyClients(connections: readonly TrackedConnection[], inNamespaces: InNamespaces): ReadonlySet<string> {
  const clients = connections.map(clientOf);
  const meant = new Set(clients.map(socketName));
  const remotes = new Map(clients.map(({ remote }) => [backendName(remote), remote]));
  const destroyed = new Set<string>();
  inNamespaces(() => {
    using diag = openSockDiag();
    destroySockets(diag, 'TCP', [...remotes.values()], (found) => {
      const name = socketName(found);
      if (meant.has(name)) destroyed.add(name);
      return meant.has(name);
    });
  });
  return destroyed;
}

/** The two ends of a connected socket: one local port may be connected to many Services. */
type SocketEnds = Pick<ConnectedSocket, 'local' | 'remote'>;

function clientOf({ original }: TrackedConnection): SocketEnds {
  return {
    local: { address: original.source, port: original.sourcePort },
    remote: { address: original.destination, port: original.destinationPort },
  };
}

function socketName({ local, remote }: SocketEnds): string {
  return `${backendName(local)} ${backendName(remote)}`;
}

interface EndingConnection extends EndingFlow {
  readonly flow: TrackedConnection;
}

/** The tracked connections that end. */
function connectionsOf(
  socket: NetlinkSocket,
  protocol: 'TCP' | 'UDP',
  ended: readonly EndedFlows[],
): EndingConnection[] {
  const table = ended.length === 0 ? undefined : connectionTable();
  if (table === undefined || table.count === 0) return [];
  const local = nodePortAddresses(ended);
  const found: EndingConnection[] = [];
  for (const family of ['IPv4', 'IPv6'] as const) {
    const own = ended.filter(({ frontend }) => frontend.family === family);
    const index = new EndedFlowsIndex(own, local);
    for (const filter of filtersOf(family, protocol, own, table)) {
      eachConnection(socket, filter, (flow) => {
        const end = index.endOf(flow);
        if (end !== undefined) found.push({ flow, end });
      });
    }
  }
  return found;
}

/**
 * How the kernel is asked: frontend by frontend, each a walk through the whole table that hands over little; or, for many
 * frontends, one walk that hands over everything of the protocol.
 */
function filtersOf(
  family: ConnectionFilter['family'],
  protocol: 'TCP' | 'UDP',
  ended: readonly EndedFlows[],
  { count, buckets }: { readonly count: number; readonly buckets: number },
): ConnectionFilter[] {
  if (ended.length === 0) return [];
  const whole = { family, protocol: protocolNumbers[protocol] };
  if ((ended.length - 1) * buckets > bucketsPerEntry * count) return [whole];
  return ended.map(({ frontend: { address, port, lastPort } }) => ({
    ...whole,
    original: {
      ...(address === undefined ? {} : { destination: address }),
      ...(lastPort === undefined ? { destinationPort: port } : {}),
    },
  }));
}

/** Where the node ports among the frontends may have been called: the addresses of this machine. */
export function nodePortAddresses(ended: readonly EndedFlows[]): ReadonlySet<string> {
  if (!ended.some(({ frontend }) => frontend.address === undefined)) return new Set();
  using route = openRoute();
  return new Set(route.addresses().map(({ address }) => address));
}
