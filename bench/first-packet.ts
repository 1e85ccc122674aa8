import { execFileSync } from 'node:child_process';
import { isolateNetwork } from '../src/linux/namespaces.ts';
import { ServiceNode } from './load/node.ts';
import { Path, serverAddresses, serverPort } from './load/path.ts';
import { type KernelPlane, kernelPlanes } from './load/planes.ts';
import { hasProgram } from './load/services.ts';
import { figuresInUml, prepareUml } from './load/uml.ts';
import { type BenchResult, percentile } from './result.ts';

interface Extent {
  readonly sizes: readonly number[];
  readonly rounds: number;
  /** Handshakes of each kind that a node is measured with in a round; a third as many before are not counted. */
  readonly block: number;
}

const here: Extent = { sizes: [1, 1_000, 10_000, 30_000], rounds: 40, block: 150 };
/** User-Mode Linux takes ten times as long for everything. */
const inUml: Extent = { sizes: [1, 1_000, 10_000], rounds: 20, block: 60 };

/** Where the peer's rule leads away from: an address of no Service. */
const peerAddress = '192.0.2.80';
/** Largest ratio to direct, where one was set. */
const targets: Readonly<Record<string, number>> = { nftables: 1.15, ebpf: 1.02 };
const flatEnough = 1.1;

/**
 * How long a TCP handshake takes from Pod to Pod on one node through a ClusterIP of two endpoints, and straight to one of
 * the two Pods, taken at random as well. No connection is answered by a process, so no wake-up is measured.
 *
 * A node for each number of Services, one with a single static DNAT rule (the peer) and a bare one are there at the same
 * time, each with Pods of its own, and take turns: in every round each is called a few hundred times in a row, first so that
 * the processor's caches are full of it, then counted, the Service and the direct path in turns. Nodes with Services are
 * processes that only wait. The speed of a machine drifts from second to second, so what is compared are the medians of
 * one round, and a ratio is the median of the rounds' ratios, with the half of them that lies around it (`Low`, `High`).
 *
 * One Service is called again and again, as a client does; what its first call costs, when the processor's caches have
 * nothing of it, is `anyRatio`: every call goes to any of the Services. No target was set for that.
 *
 * Flat is: against one Service in the same round, neither the Service path (`flatness`) nor its ratio to the direct path
 * (`ratioFlatness`) grows with the number of Services. The p50 and p99 are of all counted handshakes. IPVS is measured
 * inside User-Mode Linux, where it can be.
 */
export async function run(): Promise<BenchResult> {
  prepareUml();
  isolateNetwork();
  const figures: Record<string, number> = {};
  for (const plane of kernelPlanes()) Object.assign(figures, await measurePlane(plane, here));
  Object.assign(figures, await figuresInUml(import.meta.filename));
  const rule = figures['nftables.rule.p50'];
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
  if (what === 'flatness' || what === 'ratioFlatness') return figure <= flatEnough;
  return !/^ratioAt\d+$/.test(what) || figure <= (targets[plane] ?? Number.POSITIVE_INFINITY);
}

/** Figures of one plane, each named after it. */
async function measurePlane(plane: KernelPlane, extent: Extent): Promise<Record<string, number>> {
  const { sizes } = extent;
  await using nodes = new AsyncDisposableStack();
  const blocks: Block[] = [];
  for (const size of sizes) blocks.push(...serviceBlocks(size, nodes.use(await ServiceNode.start(plane, size))));
  blocks.push(...peerBlocks(nodes));
  const times = takeTurns(blocks, extent);
  const figures = { ...figuresOf(times, sizes), ...flatnessOf(times, sizes) };
  return Object.fromEntries(Object.entries(figures).map(([name, figure]) => [`${plane}.${name}`, figure]));
}

/** What is called in turns without anything in between: a handshake in milliseconds each. */
type Block = Readonly<Record<string, () => number>>;

function serviceBlocks(size: number, node: ServiceNode): Block[] {
  const direct = () => connectDirectly(node.path);
  return [
    { [`service${size}`]: () => node.connect(), [`direct${size}`]: direct },
    { [`any${size}`]: () => node.connectToAny(), [`besideAny${size}`]: direct },
  ];
}

function peerBlocks(nodes: AsyncDisposableStack): Block[] {
  const bare = nodes.use(new Path(() => undefined));
  const blocks: Block[] = [{ bare: () => connectDirectly(bare) }];
  if (!hasProgram('nft')) return blocks;
  const rule = nodes.use(new Path(addRule));
  return [...blocks, { rule: () => rule.connect(peerAddress, 80) }];
}

function connectDirectly(path: Path): number {
  const [first, second] = serverAddresses;
  return path.connect(Math.random() < 0.5 ? first : second, serverPort);
}

/** Handshakes in microseconds, by round, of everything that is called. */
class Times {
  readonly #rounds = new Map<string, number[][]>();

  add(name: string, times: number[]): void {
    const rounds = this.#rounds.get(name);
    if (rounds === undefined) this.#rounds.set(name, [times]);
    else rounds.push(times);
  }

  has(name: string): boolean {
    return this.#rounds.has(name);
  }

  percentile(name: string, p: number): number {
    return percentile(this.#of(name).flat(), p);
  }

  /** The ratios of the rounds' medians. */
  ratios(name: string, to: string): number[] {
    const others = this.#of(to);
    return this.#of(name).map((times, round) => percentile(times, 0.5) / percentile(others[round] ?? [], 0.5));
  }

  #of(name: string): readonly (readonly number[])[] {
    return this.#rounds.get(name) ?? [];
  }
}

/** To and fro: what comes first finds the processor's caches full of something else. */
function takeTurns(blocks: readonly Block[], { rounds, block }: Extent): Times {
  const times = new Times();
  for (let round = 0; round < rounds; round += 1) {
    for (const each of round % 2 === 0 ? blocks : blocks.toReversed()) {
      callInTurns(each, block / 3);
      for (const [name, took] of callInTurns(each, block)) times.add(name, took);
    }
  }
  return times;
}

function callInTurns(block: Block, count: number): Map<string, number[]> {
  const took = new Map(Object.keys(block).map((name) => [name, [] as number[]]));
  const calls = Object.entries(block);
  for (let turn = 0; turn < count; turn += 1) {
    for (const [name, connect] of turn % 2 === 0 ? calls : calls.toReversed()) took.get(name)?.push(1_000 * connect());
  }
  return took;
}

function figuresOf(times: Times, sizes: readonly number[]): Record<string, number> {
  const figures: Record<string, number> = {};
  for (const size of sizes) {
    const [service, direct] = [`service${size}`, `direct${size}`];
    const ratios = times.ratios(service, direct);
    Object.assign(figures, {
      [`p50At${size}`]: times.percentile(service, 0.5),
      [`p99At${size}`]: times.percentile(service, 0.99),
      [`ratioAt${size}`]: percentile(ratios, 0.5),
      [`ratioAt${size}Low`]: percentile(ratios, 0.25),
      [`ratioAt${size}High`]: percentile(ratios, 0.75),
      [`anyRatioAt${size}`]: percentile(times.ratios(`any${size}`, `besideAny${size}`), 0.5),
      [`p99RatioAt${size}`]: times.percentile(service, 0.99) / times.percentile(direct, 0.99),
      [`bareRatioAt${size}`]: percentile(times.ratios(service, 'bare'), 0.5),
      ...(times.has('rule') && { [`ruleRatioAt${size}`]: percentile(times.ratios(service, 'rule'), 0.5) }),
    });
  }
  return times.has('rule') ? { ...figures, 'rule.p50': times.percentile('rule', 0.5) } : figures;
}

/** The worst number of Services against the smallest one. */
function flatnessOf(times: Times, [smallest = 1, ...others]: readonly number[]): Record<string, number> {
  const own = times.ratios(`service${smallest}`, `direct${smallest}`);
  const growth = others.map((size) => percentile(times.ratios(`service${size}`, `service${smallest}`), 0.5));
  const ratioGrowth = others.map((size) => {
    const ratios = times.ratios(`service${size}`, `direct${size}`);
    return percentile(
      ratios.map((ratio, round) => ratio / (own[round] ?? Number.NaN)),
      0.5,
    );
  });
  return { flatness: Math.max(...growth), ratioFlatness: Math.max(...ratioGrowth) };
}

function addRule(): void {
  const to = `${serverAddresses[0]}:${serverPort}`;
  const chain = `type nat hook prerouting priority -100\nip daddr ${peerAddress} tcp dport 80 dnat to ${to}`;
  execFileSync('nft', ['-f', '-'], { input: `table ip peer {\nchain prerouting {\n${chain}\n}\n}\n` });
}

async function runInside(): Promise<Record<string, number>> {
  isolateNetwork();
  return await measurePlane('ipvs', inUml);
}

if (import.meta.main) {
  console.log(JSON.stringify(await (process.argv[2] === 'ipvs' ? runInside() : run())));
  process.exit();
}
