import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Node } from '../../api/core/node.ts';
import type { Service } from '../../api/core/service.ts';
import type { EndpointSlice } from '../../api/discovery/endpoint-slice.ts';
import type { Frontend } from '../../routing/frontend.ts';
import { createRouter, type ObjectChange, type Router } from '../../routing/router.ts';
import { livesOnLoopback } from '../node-facts.ts';
import { decidePlainly } from './plain-decision.ts';
import { Dice, randomNode, randomService, randomSlice } from './random-objects.ts';
import type { Subject } from './subject.ts';
import { type NodeName, nodeNames, type ServiceName, type World } from './world.ts';

export interface ObjectModelOptions {
  readonly title: string;
  readonly open: () => Promise<Subject>;
  /** Makes a failure repeatable. */
  readonly seed: number;
  readonly steps: number;
  /** What the plane refuses; everything else must be in force. */
  readonly isRefused?: (frontend: Frontend) => boolean;
}

/**
 * Declares a test of random changes of objects: after each, what is in force on every node equals the plain decision.
 * Both the routers and the planes only ever see the changes.
 */
export function declareObjectModel({ title, open, seed, steps, isRefused = () => false }: ObjectModelOptions): void {
  test(`${title}: ${steps} random changes of objects leave what they mean, on every node (seed ${seed})`, async () => {
    await using subject = await open();
    const { world, nodes } = subject;
    for (const name of nodeNames) await nodes[name]?.open(world.network[name]);
    const objects = new RandomObjects(seed, world);
    const allowLoopback = livesOnLoopback(world.network.A);
    const routers: Record<NodeName, Router> = {
      A: createRouter({ nodeName: 'A', allowExternalIps: true, allowLoopback }),
      B: createRouter({ nodeName: 'B', allowExternalIps: true, allowLoopback }),
    };
    for (let step = 0; step < steps; step += 1) {
      const changes = objects.change();
      const follow = async (name: NodeName): Promise<void> => {
        const expected = objects.decide(name).filter((frontend) => !isRefused(frontend));
        const decided = routers[name].apply(...changes);
        const { refused } = (await nodes[name]?.apply(decided)) ?? { refused: [] };
        const unexpected = refused.filter(({ key }) => expected.some((frontend) => frontend.key === key));
        assert.deepEqual(unexpected, [], `refused after step ${step}`);
        const inForce = ((await nodes[name]?.dump()) ?? expected).filter((frontend) => !isRefused(frontend));
        expectSame(inForce, expected, `on node ${name} after step ${step}`);
      };
      await Promise.all(nodeNames.map(follow));
    }
  });
}

/** Shows the first difference alone. */
function expectSame(found: readonly Frontend[], expected: readonly Frontend[], when: string): void {
  const byKey = new Map(found.map((frontend) => [frontend.key, frontend]));
  assert.deepEqual([...byKey.keys()].sort(), expected.map(({ key }) => key).sort(), `keys ${when}`);
  for (const frontend of expected) assert.deepEqual(byKey.get(frontend.key), frontend, `${frontend.key} ${when}`);
}

const serviceNames = ['web', 'db', 'cache'] as const satisfies readonly ServiceName[];
const sliceNames = ['s1', 's2', 's3', 's4', 's5', 's6', 's7', 's8'] as const;

/** The objects of a cluster, which change at random. */
class RandomObjects {
  readonly #dice: Dice;
  readonly #world: World;
  readonly #services = new Map<string, Service>();
  readonly #slices = new Map<string, EndpointSlice>();
  readonly #nodes = new Map<NodeName, Node>();

  constructor(seed: number, world: World) {
    this.#dice = new Dice(seed);
    this.#world = world;
  }

  /** One to three changes; at first every node comes. */
  change(): readonly ObjectChange[] {
    const missing = nodeNames.filter((name) => !this.#nodes.has(name));
    if (missing.length > 0) return missing.map((name) => this.#changeNode(name));
    return Array.from({ length: this.#dice.one([1, 1, 2, 3]) }, () => this.#changeOne());
  }

  decide(name: NodeName): readonly Frontend[] {
    const node = this.#nodes.get(name) ?? assert.fail(`no node ${name}`);
    return decidePlainly({ services: [...this.#services.values()], slices: [...this.#slices.values()], node });
  }

  #changeOne(): ObjectChange {
    const what = this.#dice.roll();
    if (what < 0.05) return this.#changeNode(this.#dice.one(nodeNames));
    return what < 0.4
      ? this.#changeService(this.#dice.one(serviceNames))
      : this.#changeSlice(this.#dice.one(sliceNames));
  }

  #changeNode(name: NodeName): ObjectChange {
    return { type: 'node', ...replaced(this.#nodes, name, randomNode(this.#dice, this.#world, name)) };
  }

  #changeService(name: ServiceName): ObjectChange {
    const next = this.#dice.happens(0.15) ? undefined : randomService(this.#dice, this.#world, name);
    return { type: 'service', ...replaced(this.#services, name, next) };
  }

  #changeSlice(name: string): ObjectChange {
    const next = this.#dice.happens(0.15) ? undefined : randomSlice(this.#dice, this.#world, name);
    return { type: 'slice', ...replaced(this.#slices, name, next) };
  }
}

/** Puts an object in the place of another and says so. */
function replaced<K, T>(objects: Map<K, T>, key: K, next: T | undefined): { readonly old?: T; readonly new?: T } {
  const old = objects.get(key);
  if (next === undefined) objects.delete(key);
  else objects.set(key, next);
  return { ...(old !== undefined && { old }), ...(next !== undefined && { new: next }) };
}
