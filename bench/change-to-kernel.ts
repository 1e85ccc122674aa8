import { execFileSync } from 'node:child_process';
import { isolateNetwork } from '../src/linux/namespaces.ts';
import type { Dataplane } from '../src/proxy/dataplane.ts';
import { createNftablesPlane } from '../src/proxy/nftables/plane.ts';
import type { Router } from '../src/routing/router.ts';
import { hasProgram, network, routerOf, sliceOf } from './load/services.ts';
import { type BenchResult, percentile } from './result.ts';

const services = 10_000;
const endpoints = 2;
const warmUp = 200;
const samples = 2_000;
const peerSamples = 15;

interface Sample {
  readonly tookMs: number;
  readonly operations: number;
}

/**
 * One endpoint of one Service is replaced while 10,000 × 2 are in force: from the EndpointSlice at the router's door to
 * the kernel's acknowledgement, one change after another, each of another Service. The peer makes the same change to the
 * same tables with the `nft` program, as a proxy does that has no netlink of its own.
 */
export async function run(): Promise<BenchResult> {
  isolateNetwork();
  const router = routerOf(services, endpoints);
  const plane = createNftablesPlane({ network });
  await plane.adopt([...router.frontends()]);
  const taken: Sample[] = [];
  for (let number = 0; number < warmUp + samples; number += 1) {
    const sample = await change(router, plane, (number * 7) % services, 1 + Math.floor((number * 7) / services));
    if (number >= warmUp) taken.push(sample);
  }
  const times = taken.map(({ tookMs }) => tookMs);
  const p50 = percentile(times, 0.5);
  const p99 = percentile(times, 0.99);
  const operations = taken.map((sample) => sample.operations);
  const peerFigure = hasProgram('nft') ? percentile(peerTimes(), 0.5) : undefined;
  await plane.remove();
  return {
    bench: 'change-to-kernel',
    figures: { p50, p99, operationsPerChange: percentile(operations, 0.5), operationsAtMost: Math.max(...operations) },
    unit: 'ms',
    ...(peerFigure === undefined
      ? {}
      : { peer: { name: 'nft -f, the same elements, p50', figure: peerFigure }, ratio: p50 / peerFigure }),
    target: 'p99 at most 2 ms at 10,000 Services × 2 endpoints, a handful of operations',
    met: p99 <= 2 && Math.max(...operations) <= 8,
  };
}

async function change(router: Router, plane: Dataplane, number: number, generation: number): Promise<Sample> {
  const old = sliceOf(number, endpoints, generation - 1);
  const next = sliceOf(number, endpoints, generation);
  const startMs = performance.now();
  const { operations } = await plane.apply(router.apply({ type: 'slice', old, new: next }));
  return { tookMs: performance.now() - startMs, operations };
}

function peerTimes(): number[] {
  const key = '10.96.0.1 . tcp . 80 . 0x00000001';
  return Array.from({ length: peerSamples }, (_, at) => {
    const input = `delete element ip fairlead backends { ${key} }\nadd element ip fairlead backends { ${key} : 10.244.9.${at + 1} . 8080 }\n`;
    const startMs = performance.now();
    execFileSync('nft', ['-f', '-'], { input });
    return performance.now() - startMs;
  });
}

if (import.meta.main) console.log(JSON.stringify(await run()));
