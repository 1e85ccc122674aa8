import { type Call, commonCases, routedCases, targetPort, type World } from './contract/cases.ts';
import { declareContract } from './contract/contract.ts';
import { declareModel } from './contract/model.ts';
import { ipv4, ipv6, network } from './contract/worlds.ts';
import { createFakePlane } from './fake.ts';

/** Speaks of the fake's decisions as a caller in the real world would. */
function callerOf(plane: ReturnType<typeof createFakePlane>, world: World) {
  const names = new Map(Object.entries(world.pods).map(([name, address]) => [address, name]));
  const sources = { node: undefined, pod1: world.pods.pod1, ...world.sources };
  return async ({ from, address, port, protocol }: Call): Promise<string> => {
    const source = sources[from];
    const result = plane.connect(source, address, port, protocol ?? 'TCP');
    if (result === 'refused') return 'refused';
    if (result === 'ignored') return 'timeout';
    // Nobody listens there in the contract's world.
    if (result === 'untouched') return 'refused';
    const host = result.backend.slice(0, -`:${targetPort}`.length).replaceAll(/[[\]]/g, '');
    return `${names.get(host) ?? host} ${result.isMasqueraded ? world.node : (source ?? world.node)}`;
  };
}

for (const world of [ipv4, ipv6]) {
  const plane = createFakePlane(network, [world.node, '127.0.0.1', '::1']);
  declareContract(`fake ${world.family}`, () => ({ plane, world, call: callerOf(plane, world) }), [
    ...commonCases(world),
    ...routedCases(world),
  ]);
  const options = { world, seed: 1, steps: 100, firstPort: 80, hasRoutedKinds: true };
  declareModel(`fake ${world.family}`, () => plane, options);
}
