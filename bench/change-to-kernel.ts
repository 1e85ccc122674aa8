import { execFileSync } from 'node:child_process';
import { isolateNetwork } from '../src/linux/namespaces.ts';
import type { Dataplane, PlaneName } from '../src/proxy/dataplane.ts';
import type { ObjectChange, Router } from '../src/routing/router.ts';
import { kernelPlanes, openers, type OpenPlane } from './load/planes.ts';
import {
  hasProgram,
  network,
  podAddress,
  routerOf,
  serviceAddress,
  serviceOf,
  sliceOf,
  sliceWith,
} from './load/services.ts';
import { figuresInUml, prepareUml } from './load/uml.ts';
import { type BenchResult, percentile } from './result.ts';

const services = 10_000;
const endpoints = 2;
const warmUp = 200;
/** Of each kind of change: in this kernel, and in one that takes several times as long. */
const here = 1_000;
const inUml = 200;
const peerSamples = 15;
const handful = 12;
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
 * One endpoint or Service changes while 10,000 × 2 are in force, on every plane of this kernel, and on IPVS inside
 * User-Mode Linux. The peers make the same replacement with the programs that a proxy without netlink of its own would
 * start: `nft` in the same tables, `ipvsadm` with the same server.
 */
export async function run(): Promise<BenchResult> {
  prepareUml();
  isolateNetwork();
  const figures: Record<string, number> = {};
  for (const name of kernelPlanes()) Object.assign(figures, await measurePlane(openers[name], here));
  Object.assign(figures, await figuresInUml(import.meta.filename));
  const ofThisKernel = Object.entries(figures).filter(([name]) => !name.startsWith('ipvs'));
  const slowest = Math.max(...ofThisKernel.filter(([name]) => name.endsWith('p99')).map(([, figure]) => figure));
  const operations = Math.max(
    ...ofThisKernel.filter(([name]) => name.endsWith('operations')).map(([, count]) => count),
  );
  const peerFigure = figures['nftables.peer'];
  const ratio = figures['nftables.peerRatio'];
  return {
    bench: 'change-to-kernel',
    figures,
    unit: 'ms',
    ...(peerFigure === undefined
      ? {}
      : {
          peer: { name: 'nft -f, the same elements, p50', figure: peerFigure },
          ...(ratio !== undefined && { ratio }),
        }),
    target: `p99 at most 2 ms at 10,000 Services × 2 endpoints, whatever changes, on nftables and eBPF; at most ${handful} operations`,
    met: slowest <= 2 && operations <= handful,
  };
}

/** Figures of one plane, each named after it: every kind of change, and its peer where there is one. */
async function measurePlane(open: OpenPlane, samples: number): Promise<Record<string, number>> {
  await using opened = await open(network);
  const { plane, name } = opened;
  const router = routerOf(services, endpoints);
  await plane.adopt([...router.frontends()]);
  const figures: Record<string, number> = {};
  for (const kind of Object.keys(kinds)) {
    const taken = await measure(router, plane, kind, samples);
    const times = taken.map(({ tookMs }) => tookMs);
    figures[`${name}.${kind}.p50`] = percentile(times, 0.5);
    figures[`${name}.${kind}.p99`] = percentile(times, 0.99);
    figures[`${name}.operations`] = Math.max(
      figures[`${name}.operations`] ?? 0,
      ...taken.map((each) => each.operations),
    );
  }
  const peer = peers[name];
  if (peer === undefined || !hasProgram(peer.program)) return figures;
  const peerMs = percentile(peerTimes(peer), 0.5);
  const ratio = (figures[`${name}.replaced.p50`] ?? Number.NaN) / peerMs;
  return { ...figures, [`${name}.peer`]: peerMs, [`${name}.peerRatio`]: ratio };
}

interface Sample {
  readonly tookMs: number;
  readonly operations: number;
}

async function measure(router: Router, plane: Dataplane, kind: string, samples: number): Promise<Sample[]> {
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

/** A program, and what makes it replace the endpoint of the first Service by the `at`-th other one. */
interface Peer {
  readonly program: string;
  readonly arguments: readonly string[];
  readonly input: (at: number) => string;
}

const element = '10.96.0.1 . tcp . 80 . 0x00000001';
const server = `-t ${serviceAddress(0)}:80`;
const peers: Readonly<Partial<Record<PlaneName, Peer>>> = {
  nftables: {
    program: 'nft',
    arguments: ['-f', '-'],
    input: (at) =>
      `delete element ip fairlead backends { ${element} }\nadd element ip fairlead backends { ${element} : 10.244.9.${at + 1} . 8080 }\n`,
  },
  ipvs: {
    program: 'ipvsadm',
    arguments: ['-R'],
    input: (at) =>
      `-d ${server} -r ${at === 0 ? podAddress(1) : `10.244.9.${at}`}:8080\n-a ${server} -r 10.244.9.${at + 1}:8080 -m -w 1\n`,
  },
};

function peerTimes(peer: Peer): number[] {
  return Array.from({ length: peerSamples }, (_, at) => {
    const startMs = performance.now();
    execFileSync(peer.program, [...peer.arguments], { input: peer.input(at) });
    return performance.now() - startMs;
  });
}

async function runInside(): Promise<Record<string, number>> {
  isolateNetwork();
  return await measurePlane(openers.ipvs, inUml);
}

if (import.meta.main) {
  console.log(JSON.stringify(await (process.argv[2] === 'ipvs' ? runInside() : run())));
  process.exit();
}
