import { execFileSync } from 'node:child_process';
import { isolateNetwork } from '../src/linux/namespaces.ts';
import { createNftablesPlane } from '../src/proxy/nftables/plane.ts';
import { Path, serverAddresses, serverPort } from './load/path.ts';
import { hasProgram, network, routerOf, serviceAddress, sliceWith } from './load/services.ts';
import { type BenchResult, percentile } from './result.ts';

const sizes = [1, 1_000, 10_000, 30_000] as const;
const warmUp = 1_000;
const samples = 8_000;
const peerAddress = '10.96.0.1';

/** Handshakes in microseconds. */
type Times = Record<'service' | 'direct' | 'bare' | 'rule' | 'ruleDirect', number[]>;

/**
 * How long a TCP handshake takes from Pod to Pod through a ClusterIP, and straight to the Pod's address, on the same node
 * with the same rules in force, one after the other many thousand times. The peers take turns with them, each on a node
 * of its own: a single static DNAT rule, and a node without any rules. No connection is answered by a process, so no
 * wake-up is measured.
 */
export async function run(): Promise<BenchResult> {
  isolateNetwork();
  using node = new Path();
  using bare = new Path(() => undefined);
  using rule = hasProgram('nft') ? new Path(addRule) : undefined;
  const figures: Record<string, number> = {};
  const ratios: number[] = [];
  const bareRatios: number[] = [];
  let peer = { p50: Number.NaN, ratio: Number.NaN };
  for (const size of sizes) {
    const times = await measure(size, { node, bare, rule });
    const median = (name: keyof Times): number => percentile(times[name], 0.5);
    ratios.push(median('service') / median('direct'));
    bareRatios.push(median('service') / median('bare'));
    peer = { p50: median('rule'), ratio: median('service') / median('rule') };
    Object.assign(figures, {
      [`p50At${size}`]: median('service'),
      [`p99At${size}`]: percentile(times.service, 0.99),
      [`ratioAt${size}`]: ratios.at(-1),
      [`p99RatioAt${size}`]: percentile(times.service, 0.99) / percentile(times.direct, 0.99),
      [`bareRatioAt${size}`]: bareRatios.at(-1),
      [`ruleRatioAt${size}`]: peer.ratio,
    });
  }
  // The machine's speed drifts from size to size; a node without rules drifts with it.
  const flatness = Math.max(...bareRatios) / Math.min(...bareRatios);
  return {
    bench: 'first-packet',
    figures: { ...figures, flatness },
    unit: 'µs, ratios',
    ...(rule === undefined ? {} : { peer: { name: 'one static DNAT rule, p50', figure: peer.p50 }, ratio: peer.ratio }),
    target: 'flat from 1 to 30,000 Services (at most 1.1), ratio to direct at most 1.15',
    met: flatness <= 1.1 && Math.max(...ratios) <= 1.15,
  };
}

interface Paths {
  readonly node: Path;
  readonly bare: Path;
  /** Undefined without the program that makes its rule. */
  readonly rule: Path | undefined;
}

function addRule(): void {
  const to = `${serverAddresses[0]}:${serverPort}`;
  const chain = `type nat hook prerouting priority -100\nip daddr ${peerAddress} tcp dport 80 dnat to ${to}`;
  execFileSync('nft', ['-f', '-'], { input: `table ip peer {\nchain prerouting {\n${chain}\n}\n}\n` });
}

async function measure(services: number, paths: Paths): Promise<Times> {
  const router = routerOf(services, 2);
  const called = Math.floor(services / 2);
  router.apply({ type: 'slice', new: sliceWith(called, serverAddresses) });
  const plane = createNftablesPlane({ network });
  await plane.adopt([...router.frontends()]);
  const times: Times = { service: [], direct: [], bare: [], rule: [], ruleDirect: [] };
  const [server] = serverAddresses;
  for (let round = 0; round < warmUp + samples; round += 1) {
    const taken = {
      service: paths.node.connect(serviceAddress(called), 80),
      direct: paths.node.connect(server, serverPort),
      bare: paths.bare.connect(server, serverPort),
      rule: paths.rule?.connect(peerAddress, 80),
      ruleDirect: paths.rule?.connect(server, serverPort),
    };
    if (round < warmUp) continue;
    for (const [name, tookMs] of Object.entries(taken)) times[name as keyof Times].push((tookMs ?? Number.NaN) * 1000);
  }
  await plane.remove();
  return times;
}

if (import.meta.main) {
  console.log(JSON.stringify(await run()));
  process.exit();
}
