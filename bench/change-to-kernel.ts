import { execFileSync } from 'node:child_process';
import { isolateNetwork } from '../src/linux/namespaces.ts';
import type { Dataplane } from '../src/proxy/dataplane.ts';
import type { ObjectChange, Router } from '../src/routing/router.ts';
import { kernelPlanes } from './load/planes.ts';
import { hasProgram, network, podAddress, routerOf, serviceOf, sliceOf, sliceWith } from './load/services.ts';
import { type BenchResult, percentile } from './result.ts';

const services = 10_000;
const endpoints = 2;
const warmUp = 200;
const samples = 1_000;
const peerSamples = 15;
/** Beyond the Pods of the 10,000 Services. */
const sparePod = 40_000;

/**
 * Changes of one Service each, from the object at the router's door to the kernel's acknowledgement, and the changes that
 * put it back. Every sample is another Service.
 */
const kinds: Readonly<Record<string, (number: number) => readonly [ObjectChange[], ObjectChange[]]>> = {
  replaced: (number) => swap(number, [podAddress(number * 2), podAddress(sparePod + number)]),
  added: (number) => swap(number, [podAddress(number * 2), podAddress(number * 2 + 1), podAddress(sparePod + number)]),
  removed: (number) => swap(number, [podAddress(number * 2)]),
  unready: (number) => swap(number, [podAddress(number * 2), `${podAddress(number * 2 + 1)} !ready !serving`]),
  emptied: (number) => swap(number, []),
  newService: (number) => {
    const created = services + number;
    const service = serviceOf(created);
    const slice = sliceOf(created, endpoints);
    return [
      [
        { type: 'service', new: service },
        { type: 'slice', new: slice },
      ],
      [
        { type: 'service', old: service },
        { type: 'slice', old: slice },
      ],
    ];
  },
};

function swap(number: number, addresses: readonly string[]): [ObjectChange[], ObjectChange[]] {
  const before = sliceOf(number, endpoints);
  const after = sliceWith(number, addresses);
  return [[{ type: 'slice', old: before, new: after }], [{ type: 'slice', old: after, new: before }]];
}

/**
 * One endpoint or Service changes while 10,000 × 2 are in force, on every plane of this kernel. The peer makes the same
 * replacement in the same tables with the `nft` program, as a proxy does that has no netlink of its own.
 */
export async function run(): Promise<BenchResult> {
  isolateNetwork();
  const figures: Record<string, number> = {};
  const slowest: number[] = [];
  const operations: number[] = [];
  let peerFigure: number | undefined;
  for (const open of kernelPlanes()) {
    await using opened = await open(network);
    const { plane, name } = opened;
    const router = routerOf(services, endpoints);
    await plane.adopt([...router.frontends()]);
    for (const kind of Object.keys(kinds)) {
      const taken = await measure(router, plane, kind);
      const times = taken.map(({ tookMs }) => tookMs);
      figures[`${name}.${kind}.p50`] = percentile(times, 0.5);
      figures[`${name}.${kind}.p99`] = percentile(times, 0.99);
      slowest.push(percentile(times, 0.99));
      operations.push(...taken.map((sample) => sample.operations));
    }
    if (name === 'nftables' && hasProgram('nft')) peerFigure = percentile(peerTimes(), 0.5);
  }
  const ratio = (figures['nftables.replaced.p50'] ?? Number.NaN) / (peerFigure ?? Number.NaN);
  return {
    bench: 'change-to-kernel',
    figures: { ...figures, operationsAtMost: Math.max(...operations) },
    unit: 'ms',
    ...(peerFigure === undefined
      ? {}
      : { peer: { name: 'nft -f, the same elements, p50', figure: peerFigure }, ratio }),
    target:
      'p99 at most 2 ms at 10,000 Services × 2 endpoints on every plane, whatever changes; a handful of operations',
    met: Math.max(...slowest) <= 2 && Math.max(...operations) <= 8,
  };
}

interface Sample {
  readonly tookMs: number;
  readonly operations: number;
}

async function measure(router: Router, plane: Dataplane, kind: string): Promise<Sample[]> {
  const taken: Sample[] = [];
  for (let sample = 0; sample < warmUp + samples; sample += 1) {
    const [forward, back] = kinds[kind]?.((sample * 7) % services) ?? [[], []];
    const made = await change(router, plane, forward);
    await change(router, plane, back);
    if (sample >= warmUp) taken.push(made);
  }
  return taken;
}

async function change(router: Router, plane: Dataplane, changes: readonly ObjectChange[]): Promise<Sample> {
  const startMs = performance.now();
  const { operations } = await plane.apply(router.apply(...changes));
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

if (import.meta.main) {
  console.log(JSON.stringify(await run()));
  process.exit();
}
