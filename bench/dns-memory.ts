import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { isolateNetwork } from '../src/linux/namespaces.ts';
import { answerOf } from './dns/ask.ts';
import { nameOfService } from './dns/names.ts';
import { startProgram, type ServerProcess } from './dns/processes.ts';
import { podAddresses } from './load/objects.ts';
import { type Api, ProxyFolder, startApi } from './load/processes.ts';
import type { BenchResult } from './result.ts';

const services = 10_000;
const endpoints = 15;
const headlessEvery = 10;
const port = 5300;
const relists = 3;
/** The last Service without a cluster address: its name shows what the server has read. */
const watched = services - 1;

/**
 * Resident memory of `fairlead dns` with 10,000 Services and 150,000 endpoints, a tenth of the Services without a cluster
 * address; and its peak while it lists everything again because the API server does not know its revision any more.
 */
export async function run(): Promise<BenchResult> {
  isolateNetwork();
  await using api = await startApi(services, endpoints, headlessEvery);
  using folder = new ProxyFolder(api);
  await using server = await startProgram(folder, port);
  await sees(server, api, 1);
  const startPeakMb = server.memory().peakMb;
  const residentMb = await settled(server);
  const peaks: number[] = [];
  for (let round = 0; round < relists; round += 1) {
    // Starts the high-water mark anew (proc(5), clear_refs).
    writeFileSync(`/proc/${server.pid}/clear_refs`, '5');
    api.forget();
    await sees(server, api, 2 + round);
    peaks.push(server.memory().peakMb);
  }
  const peakMb = Math.max(...peaks);
  const threads = Number(/^Threads:\s+(\d+)/m.exec(readFileSync(`/proc/${server.pid}/status`, 'utf8'))?.[1]);
  return {
    bench: 'dns-memory',
    figures: { residentMb, startPeakMb, relistPeakMb: peakMb, relistRatio: peakMb / residentMb, threads },
    unit: 'MB',
    target: 'at most 150 MB resident, at most 1.3 times that while relisting',
    met: residentMb <= 150 && peakMb <= 1.3 * residentMb,
  };
}

/** Resolves when the server answers with a change that it can only have heard of after everything before. */
async function sees(server: ServerProcess, api: Api, generation: number): Promise<void> {
  const addresses = podAddresses(watched, endpoints, generation);
  const newest = addresses.at(-1);
  for (;;) {
    api.change({ number: watched, addresses });
    const answer = await answerOf(server.port, nameOfService(watched));
    if (answer.includes(newest ?? '')) return;
    await delay(100);
  }
}

/** Resident memory once nothing is left to do: the least of ten seconds. */
async function settled(server: ServerProcess): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let second = 0; second < 10; second += 1) {
    await delay(1000);
    least = Math.min(least, server.memory().residentMb);
  }
  return least;
}

if (import.meta.main) {
  console.log(JSON.stringify(await run(), undefined, 1));
  process.exit();
}
