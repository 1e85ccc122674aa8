import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { isolateNetwork } from '../linux/namespaces.ts';
import { dig } from './dig.ts';
import type { NodeCacheProgram } from './node/testing/node-cache-program.ts';

const program = fileURLToPath(new URL('./node/testing/node-cache-program.ts', import.meta.url));
const user = { uid: 65534, gid: 65533 };
const cart = 'cart.shop.svc.cluster.local';
const folder = mkdtempSync(join(tmpdir(), 'fairlead-dns-'));
// Others must get through to what is theirs inside.
chmodSync(folder, 0o755);
const children: ChildProcess[] = [];

before(() => isolateNetwork());
after(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true });
});

/** Starts a server as root that becomes `user`, and resolves when it listens. */
async function start(over: Partial<NodeCacheProgram>): Promise<ChildProcess> {
  const given = {
    listen: [],
    upstream: { address: '127.0.0.1', port: 5300 },
    workers: 2,
    syncAfterMs: 0,
    user,
    ...over,
  };
  const child = spawn(process.execPath, [program, JSON.stringify(given)], { stdio: ['pipe', 'pipe', 'inherit'] });
  children.push(child);
  await heard(child, 'listening');
  return child;
}

async function heard(child: ChildProcess, text: string): Promise<void> {
  const signal = AbortSignal.timeout(20_000);
  for (let said = ''; !said.includes(text);) said += String((await once(child.stdout ?? child, 'data', { signal }))[0]);
}

/** A field of the status of every thread of a process. */
function ofThreads({ pid }: ChildProcess, field: string): string[] {
  return readdirSync(`/proc/${pid}/task`).map((thread) => {
    const status = readFileSync(`/proc/${pid}/task/${thread}/status`, 'utf8');
    return new RegExp(`^${field}:\\s*(.*)$`, 'm').exec(status)?.[1]?.replaceAll('\t', ' ') ?? '';
  });
}

/** The sets of capabilities in force that threads have, in hexadecimal, but for the empty one. */
function capabilities(child: ChildProcess): Set<string> {
  return new Set(ofThreads(child, 'CapEff').filter((each) => !/^0+$/.test(each)));
}

const bind = (1 << 10).toString(16).padStart(16, '0');

async function answers(address: string, port = 53): Promise<void> {
  const { message } = await dig({ name: cart, server: { address, port } });
  assert.equal(message.answers.length, 1);
}

test('no thread is root once the sockets are bound, and the right to bind low ports is all that is left', async () => {
  const dataDir = join(folder, 'state');
  const child = await start({ listen: [{ address: '127.0.0.1', port: 53 }], isNodeCache: false, dataDir });
  assert.deepEqual(new Set(ofThreads(child, 'Uid')), new Set(['65534 65534 65534 65534']));
  assert.deepEqual(new Set(ofThreads(child, 'Gid')), new Set(['65533 65533 65533 65533']));
  assert.deepEqual(new Set(ofThreads(child, 'Groups')), new Set(['65533 ']));
  assert.deepEqual(capabilities(child), new Set([bind]));
  assert.equal(ofThreads(child, 'CapEff').filter((each) => each === bind).length, 1, 'the main thread alone has it');
  assert.ok(ofThreads(child, 'NoNewPrivs').includes('1'));
  await answers('127.0.0.1');
  child.stdin?.write(JSON.stringify([{ address: '127.0.0.2', port: 53 }]));
  await heard(child, 'changed');
  await answers('127.0.0.2');
  child.kill('SIGTERM');
  await once(child, 'exit');
  const { uid, gid } = statSync(join(dataDir, 'state.ndjson'));
  assert.deepEqual({ uid, gid }, user, 'the state was written as the user');
});

test('what a folder of state leads to elsewhere is not given away', async () => {
  const secret = join(folder, 'secret');
  const dataDir = mkdtempSync(join(folder, 'state-'));
  writeFileSync(secret, '');
  symlinkSync(secret, join(dataDir, 'state.ndjson.new'));
  await start({ listen: [{ address: '127.0.0.3', port: 53 }], isNodeCache: false, dataDir });
  assert.equal(statSync(secret).uid, 0);
  assert.equal(statSync(dataDir).uid, user.uid);
});

test('a node cache needs no rights to end, nor to let another take over', async () => {
  const where = { address: '169.254.20.10', port: 53 };
  const first = await start({ listen: [where], workers: 0 });
  assert.deepEqual(capabilities(first), new Set([bind]));
  await answers(where.address);
  const next = await start({ listen: [where], workers: 0 });
  first.kill('SIGTERM');
  const [code] = await once(first, 'exit');
  assert.equal(code, 0);
  await answers(where.address);
  next.kill('SIGTERM');
});
