import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { createInterface } from 'node:readline';
import { parse } from 'yaml';
import { Connection, type Access } from './load/connection.ts';
import { percentile, type BenchResult } from './result.ts';

const connections = 32;
const warmUpMs = 4_000;
const measureMs = 5_000;

/**
 * Durable creates through the real API server: HTTPS with client certificates, decoding, defaulting, admission,
 * validation, managed fields, SQLite with power-loss durability. The server is a process of its own, on a folder of a
 * real disk; this one is the client, with 32 connections that each wait for their answer.
 */
export async function run(): Promise<BenchResult> {
  const folder = mkdtempSync('/var/tmp/fairlead-bench-');
  const server = spawn(process.execPath, [fileURLToPath(new URL('load/serve.ts', import.meta.url)), folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const [line] = (await once(createInterface({ input: server.stdout }), 'line')) as [string];
    const { url, kubeconfig } = JSON.parse(line) as { url: string; kubeconfig: string };
    const access = readAccess(url, kubeconfig);
    const pods = await measure(access, '/api/v1/namespaces/default/pods', podOf);
    const configMaps = await measure(access, '/api/v1/namespaces/default/configmaps', configMapOf);
    const services = await measure(access, '/api/v1/namespaces/default/services', serviceOf, measureMs / 2);
    return resultOf({ pods, configMaps, services });
  } finally {
    server.kill('SIGTERM');
    if (server.exitCode === null && server.signalCode === null) await once(server, 'exit');
    rmSync(folder, { recursive: true });
  }
}

interface Measured {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
}

function resultOf(measured: Readonly<Record<'pods' | 'configMaps' | 'services', Measured>>): BenchResult {
  const figures = Object.entries(measured).flatMap(([name, { perSecond, p50, p99 }]) => [
    [`${name}PerSecond`, Math.round(perSecond)] as const,
    [`${name}P50Ms`, Number(p50.toFixed(2))] as const,
    [`${name}P99Ms`, Number(p99.toFixed(2))] as const,
  ]);
  const { perSecond, p99 } = measured.pods;
  return {
    bench: 'api-writes',
    figures: Object.fromEntries(figures),
    unit: 'creates/s, ms',
    target: 'at least 3,000 durable creates/s on SQLite, p99 at most 20 ms (Pods)',
    met: perSecond >= 3_000 && p99 <= 20,
  };
}

async function measure(
  access: Access,
  path: string,
  bodyOf: (name: string) => unknown,
  durationMs = measureMs,
): Promise<Measured> {
  const opened = await Promise.all(Array.from({ length: connections }, () => Connection.open(access)));
  const latencies: number[] = [];
  const start = performance.now() + warmUpMs;
  const end = start + durationMs;
  let count = 0;
  const work = async (connection: Connection): Promise<void> => {
    for (let before = performance.now(); before < end; before = performance.now()) {
      const status = await connection.post(path, JSON.stringify(bodyOf(`bench-${count++}`)));
      if (status !== 201) throw new Error(`${path} answered ${status}`);
      if (before >= start) latencies.push(performance.now() - before);
    }
  };
  await Promise.all(opened.map(work));
  for (const connection of opened) connection.close();
  const perSecond = latencies.length / (durationMs / 1000);
  return { perSecond, p50: percentile(latencies, 0.5), p99: percentile(latencies, 0.99) };
}

function readAccess(url: string, kubeconfig: string): Access {
  const config = parse(readFileSync(kubeconfig, 'utf8')) as {
    clusters: [{ cluster: Record<string, string> }];
    users: [{ user: Record<string, string> }];
  };
  const decode = (text = ''): string => Buffer.from(text, 'base64').toString();
  return {
    port: Number(new URL(url).port),
    ca: decode(config.clusters[0].cluster['certificate-authority-data']),
    cert: decode(config.users[0].user['client-certificate-data']),
    key: decode(config.users[0].user['client-key-data']),
  };
}

function podOf(name: string): unknown {
  const probe = { httpGet: { path: '/healthz', port: 8080 }, periodSeconds: 5 };
  const container = {
    name: 'web',
    image: 'registry.example/shop/web:1.2.3',
    command: ['/usr/bin/web', '--listen', ':8080'],
    env: [
      { name: 'LOG_LEVEL', value: 'info' },
      { name: 'POD_IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
    ],
    ports: [{ name: 'http', containerPort: 8080 }],
    readinessProbe: probe,
  };
  const labels = { app: 'web', tier: 'front', 'pod-template-hash': '5d8f7c9b4' };
  return { kind: 'Pod', apiVersion: 'v1', metadata: { name, labels }, spec: { containers: [container] } };
}

function configMapOf(name: string): unknown {
  return { kind: 'ConfigMap', apiVersion: 'v1', metadata: { name }, data: { 'app.conf': 'x'.repeat(900) } };
}

function serviceOf(name: string): unknown {
  const spec = { selector: { app: 'web' }, ports: [{ name: 'http', port: 80, targetPort: 8080 }] };
  return { kind: 'Service', apiVersion: 'v1', metadata: { name }, spec };
}
