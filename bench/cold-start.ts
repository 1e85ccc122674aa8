import { isolateNetwork } from '../src/linux/namespaces.ts';
import { createNftablesPlane } from '../src/proxy/nftables/plane.ts';
import { network, routerOf } from './load/services.ts';
import { type BenchResult, percentile } from './result.ts';

const services = 10_000;
const endpoints = 2;
const rounds = 5;

/**
 * A proxy that starts on an empty kernel: from Services and EndpointSlices as objects to all frontends acknowledged, at
 * 10,000 × 2; and the same on a kernel that has them already, as after a restart. No peer: kube-proxy needs a cluster.
 */
export async function run(): Promise<BenchResult> {
  isolateNetwork();
  const routed: number[] = [];
  const programmed: number[] = [];
  const adopted: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const startMs = performance.now();
    const router = routerOf(services, endpoints);
    const routedMs = performance.now();
    const plane = createNftablesPlane({ network });
    await plane.adopt([...router.frontends()]);
    const programmedMs = performance.now();
    await plane.close();
    const again = createNftablesPlane({ network });
    const { operations } = await again.adopt([...router.frontends()]);
    if (operations > 0) throw new Error(`taking over changed ${operations} kernel objects`);
    adopted.push(performance.now() - programmedMs);
    routed.push(routedMs - startMs);
    programmed.push(programmedMs - startMs);
    await again.remove();
  }
  const total = percentile(programmed, 0.5);
  return {
    bench: 'cold-start',
    figures: {
      total,
      routing: percentile(routed, 0.5),
      slowest: Math.max(...programmed),
      takeOver: percentile(adopted, 0.5),
    },
    unit: 'ms',
    target: 'at most 1,500 ms for 10,000 Services × 2 endpoints',
    met: total <= 1500,
  };
}

if (import.meta.main) console.log(JSON.stringify(await run()));
