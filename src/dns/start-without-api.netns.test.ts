import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { isolateNetwork } from '../linux/namespaces.ts';
import { dig } from './dig.ts';
import { dnsNamespace, dnsService, dnsSlice } from './fixtures.ts';
import { saveState } from './state-file.ts';
import { extendedErrorsOf } from './wire/edns.ts';
import type { Message } from './wire/message.ts';
import { rcodes } from './wire/types.ts';

const program = fileURLToPath(new URL('../../bin/fairlead.ts', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'fairlead-dns-'));
const server = { address: '127.0.0.1', port: 5300 };
const serviceCount = 10_000;
/** RFC 8914 4.4. */
const staleAnswer = 3;
/** The aim is 1000 ms on a quiet machine; other work makes the clock go on, but takes no CPU of ours. */
const most = { clockMs: 4000, cpuMs: 1500 };

before(() => isolateNetwork());
after(() => rmSync(folder, { recursive: true }));

function addressOf(number: number): string {
  return `10.96.${number >> 8}.${number & 255}`;
}

/** What the server of before has left: Services with cluster IPs, and a headless one with 100 endpoints. */
function lastKnownState() {
  const services = Array.from({ length: serviceCount }, (_, number) =>
    dnsService({ clusterIP: addressOf(number), clusterIPs: [addressOf(number)] }, `web-${number}`),
  );
  const headless = dnsService({ clusterIP: 'None', clusterIPs: ['None'] }, 'cart');
  const endpoints = Array.from({ length: 100 }, (_, number) => `10.244.0.${number} host=cart-${number}`);
  const others = { namespaces: [dnsNamespace()], imports: [], hidesEmptyServices: false };
  return { ...others, services: [...services, headless], slices: [dnsSlice(endpoints)] };
}

/** A kubeconfig of a server that nobody is at. */
function kubeconfigOfNobody(): string {
  const path = join(folder, 'kubeconfig');
  const config = {
    clusters: [{ name: 'c', cluster: { server: 'http://127.0.0.1:1' } }],
    contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
    users: [{ name: 'u', user: {} }],
    'current-context': 'c',
  };
  writeFileSync(path, JSON.stringify(config));
  return path;
}

async function answerTo(name: string): Promise<Message> {
  return (await dig({ name, server, timeoutMs: 2000 })).message;
}

/** The first answer that comes; nobody is there at first. */
async function firstAnswer(name: string, signal: AbortSignal): Promise<Message> {
  for (;;) {
    signal.throwIfAborted();
    const message = await answerTo(name).catch(() => undefined);
    if (message !== undefined) return message;
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** Of all threads of a process (proc(5)); a tick is 10 ms. */
function cpuMsOf(pid: number | undefined): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

function assertStale({ rcode, answers, edns }: Message, name: string): void {
  assert.deepEqual([rcode, answers.length], [rcodes.NOERROR, 1], name);
  assert.equal(extendedErrorsOf(edns?.options ?? [])[0]?.code, staleAnswer, name);
}

test('a start without the API answers all names of 10,000 Services as stale, the first within a second', async (context) => {
  await saveState(folder, lastKnownState());
  const flags = ['--listen', '127.0.0.1:5300', '--state', folder, '--kubeconfig', kubeconfigOfNobody()];
  const startedMs = performance.now();
  const child = spawn(process.execPath, [program, 'dns', ...flags], { stdio: ['ignore', 'ignore', 'inherit'] });
  try {
    const first = await firstAnswer(`web-${serviceCount - 1}.shop.svc.cluster.local`, AbortSignal.timeout(20_000));
    const tookMs = performance.now() - startedMs;
    const cpuMs = cpuMsOf(child.pid);
    context.diagnostic(
      `from the start of the process to the first answer: ${Math.round(tookMs)} ms, ${cpuMs} ms of CPU`,
    );
    assertStale(first, 'the last');
    for (let number = 0; number < serviceCount; number += 1) {
      const name = `web-${number}.shop.svc.cluster.local`;
      assertStale(await answerTo(name), name);
    }
    for (let number = 0; number < 100; number += 1) {
      const name = `cart-${number}.cart.shop.svc.cluster.local`;
      assertStale(await answerTo(name), name);
    }
    assert.equal((await answerTo('late.shop.svc.cluster.local')).rcode, rcodes.SERVFAIL, 'nothing is denied');
    assert.ok(tookMs < most.clockMs && cpuMs < most.cpuMs, `${tookMs} ms, ${cpuMs} ms of CPU`);
  } finally {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
});
