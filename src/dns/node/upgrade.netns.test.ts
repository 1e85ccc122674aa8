import assert from 'node:assert/strict';
import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import {
  createNetworkNamespace,
  inNetworkNamespace,
  isolateNetwork,
  removeNetworkNamespace,
} from '../../linux/namespaces.ts';
import { listTables, openNetfilter } from '../../linux/nftables/dump.ts';
import { openRoute } from '../../linux/route.ts';
import type { SocketAddress } from '../config.ts';
import { dig } from '../dig.ts';
import { readMessage } from '../wire/message.ts';
import { flags, rcodes } from '../wire/types.ts';
import { writeMessage } from '../wire/writer.ts';
import type { NodeCacheProgram } from './testing/node-cache-program.ts';
import type { PodLoad } from './testing/pod-load.ts';

const server = { address: '169.254.20.10', port: 53 };
const known = 'cart.shop.svc.cluster.local';
const program = fileURLToPath(new URL('./testing/node-cache-program.ts', import.meta.url));
const podLoad = fileURLToPath(new URL('./testing/pod-load.ts', import.meta.url));
/** How long the upstream takes. */
const upstreamMs = 300;
let upstream: Socket;
const children: ChildProcess[] = [];

before(async () => {
  isolateNetwork();
  upstream = await slowUpstream({ address: '127.0.0.1', port: 5300 });
});
after(() => {
  upstream.close();
  for (const child of children) child.kill('SIGKILL');
});

/** Says that no name exists, after a while: what is under way when a server ends must be answered too. */
async function slowUpstream({ address, port }: SocketAddress): Promise<Socket> {
  const socket = createSocket('udp4').setMaxListeners(0);
  socket.on('message', (packet, peer) => {
    const message = readMessage(packet);
    if ('malformed' in message) return;
    const { id, questions } = message;
    const reply = writeMessage({ id, flags: flags.QR | flags.RD | flags.RA | rcodes.NXDOMAIN, questions });
    const timer = setTimeout(() => socket.send(reply, peer.port, peer.address), upstreamMs);
    socket.once('close', () => clearTimeout(timer));
  });
  socket.bind(port, address);
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

/** A Pod's namespace, at 10.244.0.2 behind a veth pair. */
function makePod() {
  using stack = new DisposableStack();
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-node-cache-'));
  stack.defer(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'pod');
  createNetworkNamespace(path);
  stack.defer(() => removeNetworkNamespace(path));
  const namespace = openSync(path, 'r');
  using route = openRoute();
  route.createLink({ name: 'pod', kind: 'veth', peer: { name: 'eth0', namespaceFd: namespace } });
  // The kernel ends a namespace some time after its last user: until then the name would be taken.
  stack.defer(() => execFileSync('ip', ['link', 'delete', 'pod']));
  closeSync(namespace);
  route.setLink('pod', { up: true });
  route.addAddress('pod', '10.244.0.1/24');
  using inside = inNetworkNamespace(path, openRoute);
  inside.setLink('eth0', { up: true });
  inside.addAddress('eth0', '10.244.0.2/24');
  execFileSync('nsenter', [`--net=${path}`, 'ip', 'route', 'add', 'default', 'via', '10.244.0.1']);
  const owned = stack.move();
  return { path, [Symbol.dispose]: () => owned.dispose() };
}

const tracked = (): string =>
  execFileSync('conntrack', ['-L'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });

test('queries of this machine and of Pods leave nothing in connection tracking, over UDP and TCP', async () => {
  // Without a rule that wants it nothing is tracked in this namespace at all.
  execFileSync('nft', ['table ip t { chain c { type filter hook output priority 0; ct state new accept; }; }']);
  const child = await start();
  try {
    using pod = makePod();
    for (const tcp of [false, true]) {
      assert.equal((await dig({ name: known, server, tcp })).message.answers.length, 1);
      assert.equal(askFromPod(pod.path, tcp ? '+tcp' : '+notcp'), '10.96.0.1');
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
  }
});

const clusterIp = { address: '10.96.0.10', port: 53 };
const clusterDns = { address: '10.244.0.1', port: 5301 };

/** A Pod, and what a node proxy does with the cluster IP: it leads to the cluster's DNS, which knows no name here. */
async function serviceForPods() {
  using stack = new DisposableStack();
  const path = stack.use(makePod()).path;
  const { address, port } = clusterDns;
  const rule = `ip daddr ${clusterIp.address} meta l4proto { tcp, udp } th dport 53 dnat to ${address}:${port};`;
  const chains = ['prerouting', 'output'].map(
    (hook) => `chain ${hook} { type nat hook ${hook} priority -100; ${rule} };`,
  );
  execFileSync('nft', [`table ip t { ${chains.join(' ')} }`]);
  stack.defer(() => execFileSync('nft', ['delete', 'table', 'ip', 't']));
  stack.adopt(await slowUpstream(clusterDns), (socket) => socket.close());
  const owned = stack.move();
  return { path, [Symbol.dispose]: () => owned.dispose() };
}

/** The code that a Pod's question gets. This thread is the cluster's DNS: it must not wait. */
async function codeForPod(path: string): Promise<string> {
  const args = [`--net=${path}`, 'dig', `@${clusterIp.address}`, '+tries=1', '+time=3', known];
  const { stdout } = await promisify(execFile)('nsenter', args);
  return /status: (\w+)/.exec(stdout)?.[1] ?? stdout;
}

test("with the cluster IP as its address, Pods' questions stay here while it lives, and pass on when it is killed", async () => {
  using service = await serviceForPods();
  assert.equal(await codeForPod(service.path), 'NXDOMAIN');
  const child = await start({ listen: [server, clusterIp] });
  assert.equal(await codeForPod(service.path), 'NOERROR');
  await end(child, 'SIGKILL');
  assert.equal(await codeForPod(service.path), 'NXDOMAIN');
});

for (const workers of [0, 2]) {
  test(`with the cluster IP too one process takes over from another, and each of Pods' queries is answered here (${workers} threads)`, async () => {
    using service = await serviceForPods();
    const listen = [server, clusterIp];
    let current = await start({ listen, workers });
    const load: PodLoad = { server: clusterIp, name: known };
    const args = [`--net=${service.path}`, process.execPath, podLoad, JSON.stringify(load)];
    const asking = spawn('nsenter', args, { stdio: ['pipe', 'pipe', 'inherit'] });
    children.push(asking);
    await once(asking.stdout, 'data');
    for (let round = 0; round < 3; round += 1) {
      const next = await start({ listen, workers, syncAfterMs: 200 });
      await end(current, 'SIGTERM');
      current = next;
    }
    const said = once(asking.stdout, 'data');
    asking.stdin.end();
    const counts = JSON.parse(String((await said)[0])) as Record<string, number>;
    assert.deepEqual(Object.keys(counts).toSorted(), ['tcp NOERROR', 'udp NOERROR'], JSON.stringify(counts));
    assert.ok((counts['udp NOERROR'] ?? 0) > 500 && (counts['tcp NOERROR'] ?? 0) > 50, JSON.stringify(counts));
    await end(current, 'SIGKILL');
  });
}
