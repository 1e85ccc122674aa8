import { execFileSync } from 'node:child_process';
import { isolateNetwork } from '../src/linux/namespaces.ts';
import { Path, serverAddresses, serverPort } from './load/path.ts';
import { kernelPlanes, openIpvs, type OpenedPlane, type OpenPlane } from './load/planes.ts';
import { hasProgram, network, routerOf, serviceAddress, sliceWith } from './load/services.ts';
import { figuresInUml, prepareUml } from './load/uml.ts';
import { type BenchResult, percentile } from './result.ts';

interface Extent {
  readonly sizes: readonly number[];
  readonly warmUp: number;
  readonly samples: number;
}

const here: Extent = { sizes: [1, 1_000, 10_000, 30_000], warmUp: 1_000, samples: 8_000 };
/** User-Mode Linux takes ten times as long for everything. */
const inUml: Extent = { sizes: [1, 1_000, 10_000], warmUp: 200, samples: 2_000 };

/** Where the peer's rule leads away from: an address of no Service. */
const peerAddress = '192.0.2.80';
/** Largest ratio to direct, where one was set. */
const targets: Readonly<Record<string, number>> = { nftables: 1.15, ebpf: 1.02 };
const flatEnough = 1.1;

/**
 * How long a TCP handshake takes from Pod to Pod through a ClusterIP, and straight to the Pod's address, on the same node
 * with the same plane in force, one after the other many thousand times. Then two more nodes take turns with it: one with
 * a single static DNAT rule (the peer), and a bare one. No connection is answered by a process, so no wake-up is measured.
 * IPVS is measured inside User-Mode Linux, where it can be.
 */
export async function run(): Promise<BenchResult> {
  prepareUml();
  isolateNetwork();
  const figures: Record<string, number> = {};
  {
    using paths = new Paths();
    for (const open of kernelPlanes()) Object.assign(figures, await measurePlane(open, here, paths));
  }
  Object.assign(figures, await figuresInUml(import.meta.filename));
  const rule = figures['nftables.rule.p50At10000'];
  const ratio = figures['nftables.ruleRatioAt10000'];
  return {
    bench: 'first-packet',
    figures,
    unit: 'µs, ratios',
    ...(rule === undefined || Number.isNaN(rule)
      ? {}
      : { peer: { name: 'one static DNAT rule, p50', figure: rule }, ...(ratio !== undefined && { ratio }) }),
    target: `ratio to direct at most 1.15 on nftables, 1.02 on eBPF; flat (at most ${flatEnough}) from 1 to 30,000 Services`,
    met: Object.entries(figures).every(([name, figure]) => isMet(name, figure)),
  };
}

function isMet(name: string, figure: number): boolean {
  const [plane = '', what = ''] = name.split('.');
  if (what === 'flatness') return figure <= flatEnough;
  return !what.startsWith('ratioAt') || figure <= (targets[plane] ?? Number.POSITIVE_INFINITY);
}

/** Figures of one plane, each named after it. */
async function measurePlane(
  open: OpenPlane,
  { sizes, warmUp, samples }: Extent,
  paths: Paths,
): Promise<Record<string, number>> {
  const figures: Record<string, number> = {};
  const bareRatios: number[] = [];
  let name = '';
  for (const size of sizes) {
    await using opened = await open(network);
    ({ name } = opened);
    paths.node.serve(opened.served);
    const times = await measure(opened, size, paths, warmUp + samples);
    const p50 = (what: keyof Times): number => percentile(times[what].slice(warmUp), 0.5);
    const p99 = (what: keyof Times): number => percentile(times[what].slice(warmUp), 0.99);
    bareRatios.push(p50('again') / p50('bare'));
    Object.assign(figures, {
      [`${name}.p50At${size}`]: p50('service'),
      [`${name}.p99At${size}`]: p99('service'),
      [`${name}.ratioAt${size}`]: p50('service') / p50('direct'),
      [`${name}.p99RatioAt${size}`]: p99('service') / p99('direct'),
      [`${name}.bareRatioAt${size}`]: p50('again') / p50('bare'),
      ...(paths.rule && {
        [`${name}.rule.p50At${size}`]: p50('rule'),
        [`${name}.ruleRatioAt${size}`]: p50('again') / p50('rule'),
      }),
    });
    paths.node.serve((work) => work());
  }
  // The machine's speed drifts from size to size; a bare node drifts with it.
  return { ...figures, [`${name}.flatness`]: Math.max(...bareRatios) / Math.min(...bareRatios) };
}

/** The node that is measured, the calling thread's, and its peers. */
class Paths implements Disposable {
  readonly node = new Path();
  readonly bare = new Path(() => undefined);
  /** Undefined without the program that makes its rule. */
  readonly rule = hasProgram('nft') ? new Path(addRule) : undefined;

  [Symbol.dispose](): void {
    for (const path of [this.node, this.bare, this.rule]) path?.[Symbol.dispose]();
  }
}

/** Handshakes in microseconds: of the Service beside a direct one, and again beside the other nodes. */
type Times = Record<'service' | 'direct' | 'again' | 'bare' | 'rule', number[]>;
type Connects = readonly (readonly [keyof Times, () => number])[];

async function measure({ plane }: OpenedPlane, services: number, paths: Paths, count: number): Promise<Times> {
  const router = routerOf(services, 2);
  const called = Math.floor(services / 2);
  router.apply({ type: 'slice', new: sliceWith(called, serverAddresses) });
  await plane.adopt([...router.frontends()]);
  const [server] = serverAddresses;
  const { node, bare, rule } = paths;
  const toService = () => node.connect(serviceAddress(called), 80);
  const others: Connects = [
    ['again', toService],
    ['bare', () => bare.connect(server, serverPort)],
    ...(rule === undefined ? [] : [['rule', () => rule.connect(peerAddress, 80)] as const]),
  ];
  const times: Times = { service: [], direct: [], again: [], bare: [], rule: [] };
  takeTurns(times, count, [
    ['service', toService],
    ['direct', () => node.connect(server, serverPort)],
  ]);
  takeTurns(times, count, others);
  return times;
}

/** To and fro: what comes first finds the processor's caches full of something else. */
function takeTurns(times: Times, count: number, connects: Connects): void {
  for (let round = 0; round < count / 2; round += 1) {
    for (const [name, connect] of connects.toReversed()) times[name].push(1_000 * connect());
    for (const [name, connect] of connects) times[name].push(1_000 * connect());
  }
}

function addRule(): void {
  const to = `${serverAddresses[0]}:${serverPort}`;
  const chain = `type nat hook prerouting priority -100\nip daddr ${peerAddress} tcp dport 80 dnat to ${to}`;
  execFileSync('nft', ['-f', '-'], { input: `table ip peer {\nchain prerouting {\n${chain}\n}\n}\n` });
}

async function runInside(): Promise<Record<string, number>> {
  isolateNetwork();
  using paths = new Paths();
  return await measurePlane(openIpvs, inUml, paths);
}

if (import.meta.main) {
  console.log(JSON.stringify(await (process.argv[2] === 'ipvs' ? runInside() : run())));
  process.exit();
}
