import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Backend, Frontend, Target } from '../../routing/frontend.ts';
import type { Scheduler } from '../../routing/scheduler.ts';
import type { Dataplane } from '../dataplane.ts';
import { Frontends, type World } from './frontends.ts';

/** What a plane cannot be asked for is left out of its model test. */
export interface ModelOptions {
  readonly world: World;
  readonly seed: number;
  readonly steps: number;
  /** Ports from here up. */
  readonly firstPort: number;
  readonly hasRoutedKinds: boolean;
  /** Schedulers and ranges of ports too. */
  readonly hasSchedulersAndRanges?: boolean;
  /** Ends the plane and starts that of another process, which must find nothing to change in what is there. */
  readonly restart?: () => Promise<void>;
}

/** Steps from one adoption to the next. */
const stepsPerAdoption = 25;

/**
 * Declares a test of random changes against the simplest model there is: a map of frontends. After each change the plane
 * must read back exactly that map. The seed makes a failure repeatable.
 */
export function declareModel(title: string, plane: () => Dataplane, options: ModelOptions): void {
  test(`${title}: ${options.steps} random changes leave exactly what was asked for (seed ${options.seed})`, async () => {
    const random = randomFrom(options.seed);
    const model = new Map<string, Frontend>();
    if (options.restart !== undefined) await plane().adopt([]);
    for (let step = 0; step < options.steps; step += 1) {
      const changed = Array.from({ length: 1 + pick(random, 3) }, () => randomFrontend(random, options));
      const unique = [...new Map(changed.map((frontend) => [frontend.key, frontend])).values()];
      const removed = [...model.keys()].filter((key) => random() < 0.08 && !unique.some((each) => each.key === key));
      const { refused } = await plane().apply({ changed: unique, removed, triggeredAtMs: undefined });
      assert.deepEqual(refused, []);
      for (const frontend of unique) model.set(frontend.key, frontend);
      for (const key of removed) model.delete(key);
      assert.deepEqual(sorted(await plane().dump()), sorted(model.values()), `after step ${step}`);
      if (options.restart === undefined || step % stepsPerAdoption !== 0) continue;
      await options.restart();
      assert.equal((await plane().adopt([...model.values()])).operations, 0, `adopted after step ${step}`);
    }
    await plane().apply({ changed: [], removed: [...model.keys()], triggeredAtMs: undefined });
    assert.deepEqual(await plane().dump(), []);
  });
}

function sorted(frontends: Iterable<Frontend>): Frontend[] {
  return [...frontends].sort((a, b) => (a.key < b.key ? -1 : 1));
}

/** Numbers in [0, 1) from a seed (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function pick(random: () => number, count: number): number {
  return Math.floor(random() * count);
}

function randomFrontend(random: () => number, options: ModelOptions): Frontend {
  const { world, firstPort, hasRoutedKinds } = options;
  const make = new Frontends(world);
  const port = firstPort + pick(random, 4);
  const internal = randomTarget(random, world);
  const more = {
    protocol: random() < 0.3 ? ('UDP' as const) : ('TCP' as const),
    affinity: random() < 0.3 ? { timeoutSeconds: 30 * (1 + pick(random, 3)) } : undefined,
    service: `test/service-${pick(random, 5)}`,
    scheduler: options.hasSchedulersAndRanges === true ? randomScheduler(random) : undefined,
  };
  if (options.hasSchedulersAndRanges === true && random() < 0.2) {
    const first = 1000 + 20 * port;
    const lastPort = first + pick(random, 20);
    return make.make('ClusterIP', world.services[0], first, ofRange(internal, first), { ...more, lastPort });
  }
  const kind = hasRoutedKinds ? pick(random, 3) : 0;
  if (kind === 0) return make.make('ClusterIP', world.services[pick(random, 3)], port, internal, more);
  const external = random() < 0.5 ? internal : localOnly(internal);
  const masquerade = external === internal ? ('always' as const) : ('never' as const);
  if (kind === 1) return make.make('NodePort', undefined, 30_000 + port, internal, { ...more, external, masquerade });
  const width = world.family === 'IPv4' ? 24 : 64;
  const sourceRanges = random() < 0.5 ? undefined : [`${base(world)}/${width + pick(random, 8)}`];
  return make.make('LoadBalancer', world.external, port, internal, { ...more, external, masquerade, sourceRanges });
}

function randomScheduler(random: () => number): Scheduler | undefined {
  // Few are hashed: those have hundreds of elements, and every step reads them all.
  return random() < 0.1
    ? (['mh', 'sh', 'dh'] as const)[pick(random, 3)]
    : (['rr', undefined] as const)[pick(random, 2)];
}

/** Backends of a range are named by its first port, so each address is one. */
function ofRange({ verdict, backends }: Target, port: number): Target {
  const unique = new Map(backends.map((backend) => [backend.address, { ...backend, port }]));
  return { verdict, backends: [...unique.values()] };
}

function base({ family }: World): string {
  return family === 'IPv4' ? '198.51.100.0' : '2001:db8:77::';
}

function randomTarget(random: () => number, { pods }: World): Target {
  if (random() < 0.1) return { verdict: random() < 0.5 ? 'reject' : 'drop', backends: [] };
  const weighted = random() < 0.2;
  const backends = Object.values(pods)
    .flatMap((address) => [8080, 8081, 8082].map((port) => ({ address, port })))
    .filter(() => random() < 0.4)
    .map((each): Backend => {
      const weight = weighted ? 1 + pick(random, 5) : 1;
      return { ...each, weight, local: each.address !== pods.pod3 };
    });
  return backends.length === 0 ? { verdict: 'reject', backends } : { verdict: 'forward', backends };
}

function localOnly({ verdict, backends }: Target): Target {
  const local = backends.filter((backend) => backend.local);
  if (verdict !== 'forward' || local.length > 0) return { verdict, backends: local };
  return { verdict: 'drop', backends: [] };
}
