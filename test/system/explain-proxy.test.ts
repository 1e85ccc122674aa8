import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { cgroupRoot } from '../../src/linux/cgroup.ts';
import { isolateNetwork } from '../../src/linux/namespaces.ts';
import { finish, type Finished, type RunOptions } from '../support/commands.ts';
import { launcher } from '../support/fairlead.ts';
import { waitFor } from '../support/wait.ts';

const folder = mkdtempSync(join(tmpdir(), 'fairlead-test-'));
const cgroup = join(cgroupRoot() ?? assert.fail('cgroup v2 is not mounted'), `fairlead-test-${process.pid}`);
const env = { KUBECONFIG: join(folder, 'kubeconfig'), HOME: folder };
/** Addresses of this machine. */
const endpoints = ['192.0.2.5', '192.0.2.6'];
const running = new Set<ChildProcess>();

const objects = [
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'db', annotations: { 'fairlead.dev/reset-removed': '30s' } },
    spec: { clusterIP: '10.96.0.50', ports: [{ port: 80 }] },
  },
  {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: 'db-1', labels: { 'kubernetes.io/service-name': 'db' } },
    addressType: 'IPv4',
    ports: [{ name: '', port: 8080 }],
    endpoints: endpoints.map((address) => ({ addresses: [address] })),
  },
];

before(async () => {
  isolateNetwork();
  for (const address of endpoints) execFileSync('ip', ['address', 'add', `${address}/32`, 'dev', 'lo']);
  mkdirSync(cgroup);
  await component(['server', '--data', folder], 'export KUBECONFIG=');
  for (const object of objects) {
    const { code, stderr } = await fairlead(['apply', '-f', '-'], { input: JSON.stringify(object) });
    assert.equal(code, 0, stderr);
  }
});

after(async () => {
  await Promise.all([...running].map(end));
  rmdirSync(cgroup);
  rmSync(folder, { recursive: true });
});

/** Starts a part of Fairlead and waits until it has said `ready`. */
async function component(args: readonly string[], ready: string): Promise<ChildProcess> {
  const child = spawn(launcher, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  running.add(child);
  child.once('exit', () => running.delete(child));
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (printed += String(chunk)));
  await waitFor(
    () => {
      assert.equal(child.exitCode, null, printed);
      return printed.includes(ready);
    },
    { what: `"${ready}" of fairlead ${args.join(' ')}`, timeoutMs: 60_000 },
  );
  return child;
}

async function end(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit');
  child.kill('SIGINT');
  await ended;
}

function fairlead(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  return finish(launcher, args, { ...options, env });
}

for (const plane of ['nftables', 'ebpf'] as const) {
  test(`beside fairlead proxy on ${plane} the settings are the proxy's, and dump outlives it`, async () => {
    const flags = ['--plane', plane, '--cgroup', cgroup, '--node-name', 'me', '--scheduler', 'mh'];
    const ports = ['--healthz-bind-address', '', '--metrics-bind-address', ''];
    const proxy = await component(['proxy', ...flags, ...ports, '--pod-cidr', '10.244.0.0/24'], `Programming ${plane}`);
    await waitFor(async () => (await fairlead(['proxy', 'diff'])).code === 0, { what: 'everything in force' });
    const trace = await fairlead(['trace', 'db:80']);
    assert.equal(trace.code, 0, trace.stdout + trace.stderr);
    assert.match(trace.stdout, /^choice: +mh: /m);
    assert.match(trace.stdout, /^removed backends: +their connections are reset after 30 s$/m);
    assert.match(trace.stdout, new RegExp(`^kernel: +in force exactly so \\(${plane}\\)`, 'm'));
    assert.match((await fairlead(['trace', '10.244.0.9', 'db:80'])).stdout, /a Pod of this node/);
    await end(proxy);
    const left = await fairlead(['proxy', 'dump', 'db']);
    assert.match(left.stdout, /10\.96\.0\.50:80\/TCP/);
    assert.match(left.stdout, new RegExp(`1 frontend in force \\(${plane}\\)`));
    assert.equal((await fairlead(['proxy', '--cleanup'])).code, 0);
    const nothing = await fairlead(['proxy', 'dump']);
    assert.equal(nothing.code, 1);
    assert.match(nothing.stderr, /no data plane has state in the kernel of this machine/);
  });
}
