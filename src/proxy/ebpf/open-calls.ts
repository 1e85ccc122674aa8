import type { BpfMap } from '../../linux/bpf/map.ts';
import { inEachNetworkNamespace } from '../../linux/network-namespaces.ts';
import { findSockets, openSockDiag, type SocketAddress } from '../../linux/sock-diag.ts';
import { backendName } from '../backend-name.ts';
import { readCallKey } from './layout.ts';

/** Whether UDP sockets are still open that the programs connected. */
export function hasOpenCalls(calls: BpfMap): boolean {
  const called = calls.entries().map(([key]) => readCallKey(key));
  const cookies = new Set(called.map(({ cookie }) => cookie));
  const remotes = new Map<string, SocketAddress>();
  for (const { backend } of called) {
    const { address = '', port, protocol } = backend;
    if (protocol === 'UDP') remotes.set(backendName({ address, port }), { address, port });
  }
  let isOpen = false;
  inEachNetworkNamespace(() => {
    if (isOpen) return;
    using diag = openSockDiag();
    isOpen = findSockets(diag, 'UDP', [...remotes.values()]).some(({ cookie }) => cookies.has(cookie));
  });
  return isOpen;
}
