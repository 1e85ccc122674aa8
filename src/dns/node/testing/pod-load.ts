/**
 * Asks one question over and over, as the programs of a Pod would, until standard input ends; then says how often it was
 * answered, by this code or that, and how often not at all (JSON). For tests.
 */
import { once } from 'node:events';
import type { SocketAddress } from '../../config.ts';
import { dig } from '../../dig.ts';
import { rcodeName } from '../../wire/types.ts';

export interface PodLoad {
  readonly server: SocketAddress;
  readonly name: string;
}

const { server, name }: PodLoad = JSON.parse(process.argv[2] ?? '');
const over = new AbortController();
const counts: Record<string, number> = {};

async function ask(kind: 'udp' | 'tcp'): Promise<void> {
  while (!over.signal.aborted) {
    const answer = dig({ name, server, tcp: kind === 'tcp', timeoutMs: 3000 });
    const what = await answer.then(
      ({ message }) => rcodeName(message.flags & 15),
      (error: unknown) => String(error),
    );
    counts[`${kind} ${what}`] = (counts[`${kind} ${what}`] ?? 0) + 1;
  }
}

const asking = Promise.all((['udp', 'udp', 'udp', 'udp', 'tcp', 'tcp'] as const).map(ask));
console.log('asking');
process.stdin.resume();
await once(process.stdin, 'end');
over.abort();
await asking;
console.log(JSON.stringify(counts));
