import { networkInterfaces } from 'node:os';
import type { Node } from '../../api/core/node.ts';
import type { Service } from '../../api/core/service.ts';
import type { EndpointSlice } from '../../api/discovery/endpoint-slice.ts';
import type { ServiceCIDR } from '../../api/networking/service-cidr.ts';
import type { NodeNetwork } from '../../proxy/dataplane.ts';
import type { Trace, TraceStep } from '../../proxy/trace.ts';
import type { Frontend } from '../../routing/frontend.ts';
import { CommandError } from '../command-error.ts';
import { exitCodes } from '../exit-codes.ts';
import type { AnyObject } from '../objects/rest.ts';
import type { RunFile } from '../run-file.ts';
import type { FoundEndpoint } from './endpoint.ts';

/** Reads objects of the cluster. */
export interface Reader {
  get<T extends AnyObject>(word: string, name: string, namespace: string): Promise<T>;
  list<T extends AnyObject>(word: string): Promise<readonly T[]>;
}

/** The node that decides: the one named, else the only one. Throws `CommandError`. */
export async function findNode(reader: Reader, name: string | undefined): Promise<AnyObject & Node> {
  const nodes = await reader.list<AnyObject & Node>('nodes');
  const [first] = nodes;
  if (name === undefined && nodes.length === 1 && first !== undefined) return first;
  const found = nodes.find(({ metadata }) => metadata.name === name);
  if (found !== undefined) return found;
  const known = nodes.map(({ metadata }) => metadata.name).join(', ');
  throw new CommandError(
    name === undefined ? 'every node decides for itself; say which' : `there is no node "${name}"`,
    {
      code: exitCodes.notFound,
      hint: `--node NAME: ${known || 'there are no nodes yet'}`,
    },
  );
}

/** Makes the decision of a node from the objects of now, and compares it with the kernel where that is ours to read. */
export async function decide(
  reader: Reader,
  node: AnyObject & Node,
  running: RunFile | undefined,
  source: string | undefined,
  destination: FoundEndpoint,
  uid: number,
): Promise<{ readonly trace: Trace; readonly kernel: TraceStep | undefined }> {
  const [{ createRouter }, { compareWithPlane, traceConnection }] = await Promise.all([
    import('../../routing/router.ts'),
    import('../../proxy/trace.ts'),
  ]);
  const router = createRouter({ nodeName: node.metadata.name ?? '' });
  const services = await reader.list<AnyObject & Service>('services');
  const slices = await reader.list<AnyObject & EndpointSlice>('endpointslices');
  router.apply(
    { type: 'node', new: node },
    ...services.map((object) => ({ type: 'service', new: object }) as const),
    ...slices.map((object) => ({ type: 'slice', new: object }) as const),
  );
  const network = await networkOf(reader, node);
  const frontends: readonly Frontend[] = [...router.frontends()];
  const nodeAddresses = running === undefined ? reportedAddresses(node) : ownAddresses();
  const { address, port, protocol } = destination;
  const trace = traceConnection(
    { frontends, network, nodeAddresses },
    { source, destination: address, port, protocol },
  );
  const comparable = uid === 0 && running?.plane.name === 'nftables' && trace.frontend !== undefined;
  if (!comparable || trace.frontend === undefined) return { trace, kernel: undefined };
  const { createNftablesPlane } = await import('../../proxy/nftables/plane.ts');
  const plane = createNftablesPlane({ network });
  return { trace, kernel: compareWithPlane(trace.frontend, await plane.dump()) };
}

function reportedAddresses({ status }: Node): readonly string[] {
  return (status?.addresses ?? []).filter(({ type }) => type.endsWith('IP')).map(({ address }) => address);
}

/** A node reports one address of each family, but its node ports answer on all that this machine has. */
function ownAddresses(): readonly string[] {
  return Object.values(networkInterfaces()).flatMap((link = []) => link.map(({ address }) => address));
}

/** The ranges that decide what a caller is: of this node's Pods, of all Pods, of Services. */
async function networkOf(reader: Reader, node: Node): Promise<NodeNetwork> {
  const nodes = await reader.list<AnyObject & Node>('nodes');
  const ranges = await reader.list<AnyObject & ServiceCIDR>('servicecidrs');
  return {
    podCidrs: node.spec?.podCIDRs ?? [],
    clusterCidrs: nodes.flatMap(({ spec }) => spec?.podCIDRs ?? []),
    serviceCidrs: ranges.flatMap(({ spec }) => spec?.cidrs ?? []),
    nodePortAddresses: [],
  };
}
