import type { Frontend } from '../../routing/frontend.ts';
import type { RouterChanges } from '../../routing/router.ts';
import type { Applied, Dataplane, NodeNetwork } from '../dataplane.ts';
import { HealthChecks } from '../health-checks.ts';
import { nodePortHosts } from '../node-ports.ts';

/** One node: a plane, and health check node ports beside it. */
export interface ContractNode extends AsyncDisposable {
  /** Makes a new plane in place of the one before, which takes everything away. */
  open(network: NodeNetwork): Promise<void>;
  apply(changes: RouterChanges): Promise<Applied>;
  dump(): Promise<readonly Frontend[]>;
}

/** What tells load balancers of local endpoints. */
type Checks = Pick<HealthChecks, 'apply'> & Disposable;

/** A node in the calling thread and its network namespace. */
export function createNode(
  openPlane: (network: NodeNetwork) => Promise<Dataplane>,
  openChecks: (network: NodeNetwork) => Checks = openHealthChecks,
): ContractNode {
  let running: { readonly plane: Dataplane; readonly checks: Checks } | undefined;
  const current = () => {
    if (running === undefined) throw new Error('the node has not been opened');
    return running;
  };
  const close = async (): Promise<void> => {
    running?.checks[Symbol.dispose]();
    await running?.plane.remove();
    running = undefined;
  };
  return {
    async open(network) {
      await close();
      running = { plane: await openPlane(network), checks: openChecks(network) };
      await running.plane.adopt([]);
    },
    async apply(changes) {
      current().checks.apply(changes);
      return current().plane.apply(changes);
    },
    dump: () => current().plane.dump(),
    [Symbol.asyncDispose]: close,
  };
}

function openHealthChecks(network: NodeNetwork): HealthChecks {
  return new HealthChecks({
    addresses: () => nodePortHosts(network),
    isHealthy: () => true,
    onFailure({ port }, cause) {
      throw new Error(`the health check port ${port} cannot be had`, { cause });
    },
  });
}
