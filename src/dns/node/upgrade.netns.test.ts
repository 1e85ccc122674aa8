import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import {
  createNetworkNamespace,
  inNetworkNamespace,
  isolateNetwork,
  removeNetworkNamespace,
} from '../../linux/namespaces.ts';
import { listTables, openNetfilter } from '../../linux/nftables/dump.ts';
import { openRoute } from '../../linux/route.ts';
import { dig } from '../dig.ts';
import { readMessage } from '../wire/message.ts';
import { flags, rcodes } from '../wire/types.ts';
import { writeMessage } from '../wire/writer.ts';
import type { NodeCacheProgram } from './testing/node-cache-program.ts';

const server = { address: '169.254.20.10', port: 53 };
const known = 'cart.shop.svc.cluster.local';
const program = fileURLToPath(new URL('./testing/node-cache-program.ts', import.meta.url));
/** How long the upstream takes. */
const upstreamMs = 300;
let upstream: Socket;
const children: ChildProcess[] = [];

before(async () => {
  isolateNetwork();
  upstream = await slowUpstream();
});
after(() => {
  upstream.close();
  for (const child of children) child.kill('SIGKILL');
});

/** Says that no name exists, after a while: what is under way when a server ends must be answered too. */
async function slowUpstream(): Promise<Socket> {
  const socket = createSocket('udp4').setMaxListeners(0);
  socket.on('message', (packet, peer) => {
    const message = readMessage(packet);
    if ('malformed' in message) return;
    const { id, questions } = message;
    const reply = writeMessage({ id, flags: flags.QR | flags.RD | flags.RA | rcodes.NXDOMAIN, questions });
    const timer = setTimeout(() => socket.send(reply, peer.port, peer.address), upstreamMs);
    socket.once('close', () => clearTimeout(timer));
  });
  socket.bind(5300, '127.0.0.1');
  await once(socket, 'listening');
  return socket;
}

async function start(over: Partial<NodeCacheProgram> = {}): Promise<ChildProcess> {
  const settings = { listen: [server], upstream: upstream.address(), workers: 0, syncAfterMs: 0, ...over };
  const child = spawn(process.execPath, [program, JSON.stringify(settings)], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  await Promise.race([once(child.stdout ?? child, 'data'), once(child, 'exit')]);
  assert.equal(child.exitCode, null, 'it runs');
  return child;
}

async function end(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  const exit = once(child, 'exit');
  child.kill(signal);
  await exit;
}

for (const workers of [0, 2]) {
  test(`one process takes over from another under load, and not one query is lost (${workers} threads)`, async () => {
    let current = await start({ workers });
    const over = new AbortController();
    const counts = { udp: 0, tcp: 0, forwarded: 0 };
    const ask = async (kind: keyof typeof counts): Promise<void> => {
      while (!over.signal.aborted) {
        const name = kind === 'forwarded' ? `n${counts.forwarded}-${Math.random()}.example` : known;
        const { message } = await dig({ name, server, tcp: kind === 'tcp', timeoutMs: 3000 });
        assert.equal(message.flags & 15, kind === 'forwarded' ? rcodes.NXDOMAIN : rcodes.NOERROR);
        counts[kind] += 1;
      }
    };
    const kinds = ['udp', 'udp', 'udp', 'udp', 'tcp', 'tcp', 'forwarded', 'forwarded', 'forwarded'] as const;
    const loads = Promise.all(kinds.map(ask));
    const rounds = (async () => {
      for (let round = 0; round < 3; round += 1) {
        const next = await start({ workers, syncAfterMs: 200 });
        await end(current, 'SIGTERM');
        current = next;
      }
    })();
    await Promise.race([rounds, loads]);
    over.abort();
    await loads;
    assert.ok(counts.udp > 500 && counts.tcp > 50 && counts.forwarded > 5, JSON.stringify(counts));
    await end(current, 'SIGKILL');
  });
}

test('a process that was told to end answers until the next one does', async () => {
  const old = await start();
  const exit = once(old, 'exit');
  old.kill('SIGTERM');
  await delay(300);
  assert.equal((await dig({ name: known, server })).message.answers.length, 1);
  const next = await start();
  await exit;
  assert.equal((await dig({ name: known, server })).message.answers.length, 1);
  await end(next, 'SIGKILL');
});

/** Asks from a namespace behind a veth pair, as a Pod would, with Debian's dig. */
function askFromPod(path: string, ...options: string[]): string {
  const args = [`--net=${path}`, 'dig', `@${server.address}`, '+short', '+tries=1', '+time=3', ...options, known];
  return execFileSync('nsenter', args, { encoding: 'utf8' }).trim();
}

function makePod(path: string): void {
  createNetworkNamespace(path);
  const namespace = openSync(path, 'r');
  using route = openRoute();
  route.createLink({ name: 'pod', kind: 'veth', peer: { name: 'eth0', namespaceFd: namespace } });
  closeSync(namespace);
  route.setLink('pod', { up: true });
  route.addAddress('pod', '10.244.0.1/24');
  using inside = inNetworkNamespace(path, openRoute);
  inside.setLink('eth0', { up: true });
  inside.addAddress('eth0', '10.244.0.2/24');
  execFileSync('nsenter', [`--net=${path}`, 'ip', 'route', 'add', 'default', 'via', '10.244.0.1']);
}

const tracked = (): string =>
  execFileSync('conntrack', ['-L'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });

test('queries of this machine and of Pods leave nothing in connection tracking, over UDP and TCP', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-node-cache-'));
  const path = join(folder, 'pod');
  // Without a rule that wants it nothing is tracked in this namespace at all.
  execFileSync('nft', ['table ip t { chain c { type filter hook output priority 0; ct state new accept; }; }']);
  const child = await start();
  try {
    makePod(path);
    for (const tcp of [false, true]) {
      assert.equal((await dig({ name: known, server, tcp })).message.answers.length, 1);
      assert.equal(askFromPod(path, tcp ? '+tcp' : '+notcp'), '10.96.0.1');
    }
    assert.doesNotMatch(tracked(), /dport=53 /);
    await dig({ name: 'other.example', server });
    assert.match(tracked(), /dport=5300 /, 'the question to the upstream is tracked');
    await end(child, 'SIGKILL');
    using netfilter = openNetfilter();
    assert.deepEqual(
      listTables(netfilter).map(({ name }) => name),
      ['t'],
    );
  } finally {
    child.kill('SIGKILL');
    execFileSync('nft', ['delete', 'table', 'ip', 't']);
    removeNetworkNamespace(path);
    rmSync(folder, { recursive: true });
  }
});
