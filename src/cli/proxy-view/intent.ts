import { hostname, networkInterfaces } from 'node:os';
import type { Node } from '../../api/core/node.ts';
import type { Service } from '../../api/core/service.ts';
import type { EndpointSlice } from '../../api/discovery/endpoint-slice.ts';
import { ApiError } from '../../api/errors.ts';
import { slowStartAnnotation } from '../../api/fairlead-annotations.ts';
import type { ServiceCIDR } from '../../api/networking/service-cidr.ts';
import type { NodeNetwork } from '../../proxy/dataplane.ts';
import { livesOnLoopback } from '../../proxy/node-facts.ts';
import { readRunRecord, type RunRecord } from '../../proxy/run-record.ts';
import type { Frontend } from '../../routing/frontend.ts';
import { createRouter } from '../../routing/router.ts';
import { CommandError } from '../command-error.ts';
import { exitCodes } from '../exit-codes.ts';
import type { AnyObject } from '../objects/rest.ts';
import type { Reader } from './reader.ts';

/** What a node should do, decided anew from the objects of now. */
export interface Intent {
  readonly nodeName: string;
  readonly frontends: readonly Frontend[];
  readonly network: NodeNetwork;
  readonly nodeAddresses: readonly string[];
  /** The node is this machine, so its kernel is ours to look at. */
  readonly isHere: boolean;
  /** The proxy that runs here; undefined when none tells its settings, and defaults are taken. */
  readonly record: RunRecord | undefined;
  /** Services whose new backends get their share little by little: only the proxy knows how far each is. */
  readonly startingSlowly: ReadonlySet<string>;
}

/** Makes the decision of a node: the one named, else of this machine's proxy, else the only one. Throws `CommandError`. */
export async function readIntent(
  reader: Reader,
  wanted: string | undefined,
  running: string | undefined,
): Promise<Intent> {
  const found = readRunRecord();
  const here = found?.nodeName ?? running;
  const nodes = await reader.list<AnyObject & Node>('nodes');
  const nodeName = chooseNode(nodes, wanted, here);
  const node = nodes.find(({ metadata }) => metadata.name === nodeName);
  const isHere = nodeName === (here ?? hostname().toLowerCase());
  const record = isHere ? found : undefined;
  const services = await reader.list<AnyObject & Service>('services');
  const slices = await reader.list<AnyObject & EndpointSlice>('endpointslices');
  const { allowExternalIps = false, defaults = {} } = record ?? {};
  const network = record?.network ?? (await networkOf(reader, nodes, node));
  const router = createRouter({ nodeName, allowExternalIps, allowLoopback: livesOnLoopback(network), defaults });
  router.apply(
    ...(node === undefined ? [] : [{ type: 'node', new: node } as const]),
    ...services.map((object) => ({ type: 'service', new: object }) as const),
    ...slices.map((object) => ({ type: 'slice', new: object }) as const),
  );
  return {
    nodeName,
    frontends: [...router.frontends()],
    network,
    nodeAddresses: isHere ? ownAddresses() : reportedAddresses(node),
    isHere,
    record,
    startingSlowly: new Set(
      services
        .filter(({ metadata }) => metadata.annotations?.[slowStartAnnotation] !== undefined)
        .map(({ metadata }) => `${metadata.namespace}/${metadata.name}`),
    ),
  };
}

/** The node that is asked about. A proxy decides for its own also while that has no Node object. */
function chooseNode(
  nodes: readonly (AnyObject & Node)[],
  wanted: string | undefined,
  here: string | undefined,
): string {
  const names = nodes.map(({ metadata }) => metadata.name ?? '');
  if (wanted === undefined && here !== undefined) return here;
  const [only] = names;
  if (wanted === undefined && names.length === 1 && only !== undefined) return only;
  const name = wanted ?? hostname().toLowerCase();
  if (name === here || names.includes(name)) return name;
  throw new CommandError(
    wanted === undefined ? 'every node decides for itself; say which' : `there is no node "${name}"`,
    {
      code: exitCodes.notFound,
      hint: `--node NAME: ${names.join(', ') || 'there are no nodes yet'}`,
    },
  );
}

function reportedAddresses(node: Node | undefined): readonly string[] {
  return (node?.status?.addresses ?? []).filter(({ type }) => type.endsWith('IP')).map(({ address }) => address);
}

/** A node reports one address of each family, but its node ports answer on all that this machine has. */
function ownAddresses(): readonly string[] {
  return Object.values(networkInterfaces()).flatMap((link = []) => link.map(({ address }) => address));
}

/** The ranges that decide what a caller is, as far as the API tells: of this node's Pods, of all Pods, of Services. */
async function networkOf(reader: Reader, nodes: readonly Node[], node: Node | undefined): Promise<NodeNetwork> {
  return {
    podCidrs: node?.spec?.podCIDRs ?? [],
    clusterCidrs: nodes.flatMap(({ spec }) => spec?.podCIDRs ?? []),
    serviceCidrs: await serviceCidrs(reader),
    nodePortAddresses: [],
  };
}

/** None where the server does not have the kind (before Kubernetes 1.31) or this user may not list it. */
async function serviceCidrs(reader: Reader): Promise<readonly string[]> {
  try {
    return (await reader.list<AnyObject & ServiceCIDR>('servicecidrs')).flatMap(({ spec }) => spec?.cidrs ?? []);
  } catch (error) {
    if (error instanceof CommandError || (error instanceof ApiError && (error.code === 403 || error.code === 404)))
      return [];
    throw error;
  }
}
