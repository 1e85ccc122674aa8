import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { Frontend, FrontendKey } from '../../../routing/frontend.ts';
import { targetPort } from '../../contract/server.ts';
import { HostNetwork } from '../../contract/host-network.ts';
import { ipv4, ipv6 } from '../../contract/worlds.ts';
import type { Applied, Dataplane } from '../../dataplane.ts';

const gateways = ['10.244.0.1', 'fd00:244::1'] as const;

/** Pods on this node that serve, and one that calls; the test is the node. */
export async function openPods(names: readonly ('pod1' | 'pod2' | 'pod3')[]): Promise<HostNetwork> {
  const places = names.map((name) => ({ name, addresses: [ipv4.pods[name], ipv6.pods[name]] }));
  const client = { name: 'client', addresses: [ipv4.sources.client, ipv6.sources.client] };
  const hosts = new HostNetwork([...places, client].map((place) => ({ ...place, gateways, isBridged: true })));
  for (const name of names) {
    await hosts.host(name).serve(ipv4.pods[name], targetPort);
    await hosts.host(name).serve(ipv6.pods[name], targetPort);
  }
  return hosts;
}

export function apply(
  plane: Dataplane,
  changed: readonly Frontend[],
  removed: readonly FrontendKey[] = [],
): Promise<Applied> {
  return plane.apply({ changed, removed, triggeredAtMs: undefined });
}

/** What `ipvsadm` says: `-Sn` as commands that would make it so, `-Ln` with connections. */
export function ipvsadm(option: '-Sn' | '-Ln' | '-C'): string[] {
  const text = execFileSync('ipvsadm', option === '-Ln' ? ['-L', '-n'] : [option], { encoding: 'utf8' });
  return text.split('\n').filter((line) => line !== '');
}

/** A connection of the node, and what its server says when it is asked. */
export class Conversation {
  readonly socket: Socket;

  constructor(address: string, port: number) {
    this.socket = connect({ host: address, port });
    this.socket.on('error', () => undefined);
  }

  /** Name of the server. */
  async ask(): Promise<string> {
    this.socket.write('?');
    const [data] = await once(this.socket, 'data', { signal: AbortSignal.timeout(2000) });
    return String(data).split(' ')[0] ?? '';
  }

  /** Ends it by a reset, which IPVS forgets after ten seconds, and not after the two minutes of a TIME_WAIT. */
  reset(): void {
    this.socket.resetAndDestroy();
  }
}

/** How often each server was met. */
export function countOf(answers: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const answer of answers) {
    const name = answer.split(' ')[0] ?? '';
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

/** Waits until `check` passes without an error; after `seconds` its error is thrown. */
export async function eventually(check: () => void | Promise<void>, seconds: number): Promise<void> {
  const endMs = performance.now() + seconds * 1000;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (performance.now() > endMs) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
