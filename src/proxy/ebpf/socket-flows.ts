import { type InstallationPlace, openPinnedMap } from '../../linux/bpf/installation.ts';
import { networkCookie } from '../../linux/network-cookie.ts';
import { inEachNetworkNamespace } from '../../linux/network-namespaces.ts';
import { type ConnectedSocket, destroySockets, findSockets, openSockDiag } from '../../linux/sock-diag.ts';
import type { NetlinkSocket } from '../../linux/netlink/socket.ts';
import { backendName } from '../backend-name.ts';
import {
  astrayFlows,
  type EndedFlows,
  EndedFlowsIndex,
  type EndingFlow,
  type Translation,
} from '../stale-flows/ended-flows.ts';
import { type FlowTable, nodePortAddresses } from '../stale-flows/kernel-flows.ts';
import { readCall, type SocketCall } from './layout.ts';

/**
 * The flows whose backend the socket programs chose: they are not translated, so they end with their sockets. A destroyed
 * socket tells its owner ECONNABORTED; who connects again gets a backend that is there.
 */
export function openSocketFlows(place: InstallationPlace): FlowTable {
  const end = (protocol: 'TCP' | 'UDP', ended: readonly EndedFlows[]) => {
    const calls = endingCalls(place, protocol, ended).map(({ call }) => call);
    inNamespacesOf(calls, (socket, own) => {
      destroySockets(socket, protocol, remotesOf(own), (found) => own.some((call) => isSocketOf(call, found)));
    });
  };
  return {
    forget: (ended) => end('UDP', ended),
    reset: (ended) => end('TCP', ended),
    astray: (frontends) => astrayFlows(frontends, (asked) => endingCalls(place, 'TCP', asked)),
    [Symbol.dispose]: () => undefined,
  };
}

/** Both kinds of flows as one. */
export function joinFlows(...tables: readonly FlowTable[]): FlowTable {
  return {
    forget: (ended) => tables.forEach((table) => table.forget(ended)),
    reset: (ended) => tables.forEach((table) => table.reset(ended)),
    astray: (frontends) => tables.flatMap((table) => table.astray(frontends)),
    [Symbol.dispose]: () => tables.forEach((table) => table[Symbol.dispose]()),
  };
}

/** Whether UDP sockets are open that the programs connected: they need the way back. */
export function hasOpenSockets(place: InstallationPlace): boolean {
  const calls = readCalls(place).filter(({ called }) => called.protocol === 'UDP');
  let isOpen = false;
  inNamespacesOf(calls, (socket, own) => {
    isOpen ||= findSockets(socket, 'UDP', remotesOf(own)).some((found) => own.some((call) => isSocketOf(call, found)));
  });
  return isOpen;
}

interface EndingCall extends EndingFlow {
  readonly call: SocketCall;
}

/** Calls whose sockets have to end; sockets that were closed meanwhile may be among them. */
function endingCalls(place: InstallationPlace, protocol: 'TCP' | 'UDP', ended: readonly EndedFlows[]): EndingCall[] {
  if (ended.length === 0) return [];
  const local = nodePortAddresses(ended);
  const indexes = {
    IPv4: new EndedFlowsIndex(
      ended.filter(({ frontend }) => frontend.family === 'IPv4'),
      local,
    ),
    IPv6: new EndedFlowsIndex(
      ended.filter(({ frontend }) => frontend.family === 'IPv6'),
      local,
    ),
  };
  return readCalls(place).flatMap((call) => {
    if (call.called.protocol !== protocol) return [];
    const flow = translationOf(call);
    const end = indexes[call.called.family].endOf(flow);
    return end === undefined ? [] : [{ call, flow, end }];
  });
}

function readCalls(place: InstallationPlace): SocketCall[] {
  using calls = openPinnedMap(place, 'calls');
  return calls?.entries().map(([key, value]) => readCall(key, value)) ?? [];
}

function translationOf({ called, backend }: SocketCall): Translation {
  const [destination, source] = [called.address ?? '', backend.address ?? ''];
  return {
    original: { source: '', sourcePort: 0, destination, destinationPort: called.port },
    reply: { source, sourcePort: backend.port, destination: '', destinationPort: 0 },
  };
}

/** Runs `work` in each network namespace that calls come from, with those calls. */
function inNamespacesOf(calls: readonly SocketCall[], work: (socket: NetlinkSocket, own: SocketCall[]) => void): void {
  const byNamespace = Map.groupBy(calls, ({ namespace }) => namespace);
  if (byNamespace.size === 0) return;
  inEachNetworkNamespace(() => {
    const own = byNamespace.get(networkCookie());
    if (own === undefined) return;
    using socket = openSockDiag();
    work(socket, own);
  });
}

function remotesOf(calls: readonly SocketCall[]): { readonly address: string; readonly port: number }[] {
  const remotes = calls.map(({ backend: { address = '', port } }) => ({ address, port }));
  return [...new Map(remotes.map((remote) => [backendName(remote), remote])).values()];
}

function isSocketOf({ cookie, backend }: SocketCall, found: ConnectedSocket): boolean {
  return found.cookie === cookie && found.remote.address === backend.address && found.remote.port === backend.port;
}
