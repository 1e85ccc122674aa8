import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { Resolver } from 'node:dns/promises';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { percentile } from './result.ts';
import type { BenchResult } from './result.ts';

/**
 * `fairlead up` on a clean data folder until the first request is answered through a Service's name: a Deployment of one
 * and a Service are applied as soon as the API answers, and the name is asked from the cluster DNS. Also the resident
 * memory of everything but the Pods.
 */

const root = resolve(import.meta.dirname, '..');
const rounds = 5;

const server = `require('node:http').createServer((request, response) => response.end('hello')).listen(8080)`;
const manifest = [
  {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'hello' },
    spec: {
      replicas: 1,
      selector: { matchLabels: { app: 'hello' } },
      template: {
        metadata: { labels: { app: 'hello' } },
        spec: {
          containers: [
            {
              name: 'server',
              image: 'host',
              command: [process.execPath, '-e', server],
              readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1 },
            },
          ],
        },
      },
    },
  },
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'hello' },
    spec: { selector: { app: 'hello' }, ports: [{ port: 80, targetPort: 8080 }] },
  },
];

interface Round {
  readonly readyMs: number;
  readonly firstAnswerMs: number;
  readonly residentMiB: number;
}

function answer(host: string): Promise<boolean> {
  return new Promise((done) => {
    get({ host, port: 80, agent: false, timeout: 500 }, (response) => {
      response.resume().on('end', () => done(response.statusCode === 200));
    }).on('error', () => done(false));
  });
}

async function firstAnswer(dns: string): Promise<void> {
  const resolver = new Resolver({ timeout: 200, tries: 1 });
  resolver.setServers([dns]);
  for (;;) {
    const [address] = await resolver.resolve4('hello.default.svc.cluster.local').catch(() => []);
    if (address !== undefined && (await answer(address))) return;
    await delay(5);
  }
}

function residentMiB(pid: number): number {
  const [, kilobytes = '0'] = /^Rss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')) ?? [];
  return Number(kilobytes) / 1024;
}

async function oneRound(): Promise<Round> {
  const dataDir = mkdtempSync(join(tmpdir(), 'fairlead-bench-'));
  const startedAt = performance.now();
  const child = spawn(join(root, 'fairlead'), ['up', '--data', dataDir], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise((done) => child.once('close', done));
  try {
    const readyMs = await new Promise<number>((done) => {
      let printed = '';
      child.stdout.on('data', (chunk) => {
        printed += String(chunk);
        if (printed.includes('export KUBECONFIG=')) done(performance.now() - startedAt);
      });
    });
    execFileSync('kubectl', ['apply', '-f', '-'], {
      input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items: manifest }),
      env: { ...process.env, KUBECONFIG: join(dataDir, 'kubeconfig'), HOME: dataDir },
      stdio: ['pipe', 'ignore', 'inherit'],
    });
    await firstAnswer('10.96.0.10');
    return { readyMs, firstAnswerMs: performance.now() - startedAt, residentMiB: residentMiB(child.pid ?? 0) };
  } finally {
    child.kill('SIGINT');
    await ended;
    rmSync(dataDir, { recursive: true, force: true });
  }
}

export async function run(): Promise<BenchResult> {
  const results: Round[] = [];
  for (let round = 0; round < rounds; round += 1) results.push(await oneRound());
  const median = (pick: (round: Round) => number): number => percentile(results.map(pick), 0.5);
  const figures = {
    ready: median(({ readyMs }) => readyMs),
    firstAnswer: median(({ firstAnswerMs }) => firstAnswerMs),
    slowestFirstAnswer: Math.max(...results.map(({ firstAnswerMs }) => firstAnswerMs)),
    residentMiB: median(({ residentMiB }) => residentMiB),
  };
  return {
    bench: 'up',
    figures,
    unit: 'ms (memory in MiB)',
    target: 'first answer ≤ 2,000 ms; memory ≤ 180 MB',
    met: figures.firstAnswer <= 2000 && figures.residentMiB * 1.048_576 <= 180,
  };
}
