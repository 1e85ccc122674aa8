import { Node } from '../../api/core/node.ts';
import { Pod } from '../../api/core/pod.ts';
import { badRequest, internal } from '../../api/errors.ts';
import { objectAs } from '../cache/item.ts';
import type { ResourceExchange } from '../exchange.ts';
import type { Server } from '../server.ts';
import { readItem } from '../verbs/get.ts';
import type { AgentAddress } from './agent-connection.ts';

/** A Pod, and the agent that runs it. */
export interface PodLocation {
  readonly pod: Pod;
  readonly agent: AgentAddress;
}

/** Finds the agent of the Pod in the request. Throws `ApiError` 404, 400 without a node, 500 when the node has no address. */
export async function locatePod(exchange: ResourceExchange, server: Server): Promise<PodLocation> {
  await server.cache.fresh();
  const name = exchange.info.name ?? '';
  const pod = objectAs(Pod, readItem(server, Pod, exchange.info.namespace, name));
  const nodeName = pod.spec?.nodeName ?? '';
  if (nodeName === '') throw badRequest(`pod ${name} does not have a host assigned`);
  const node = objectAs(Node, readItem(server, Node, undefined, nodeName));
  const addresses = node.status?.addresses ?? [];
  const found = ['InternalIP', 'Hostname', 'ExternalIP']
    .map((type) => addresses.find((each) => each.type === type))
    .find(Boolean);
  const port = node.status?.daemonEndpoints?.kubeletEndpoint?.Port;
  if (found === undefined || port === undefined)
    throw internal(`node ${nodeName} does not say where its agent listens`);
  return { pod, agent: { host: found.address, port } };
}

/** The container meant by the request: the one it names, or the only one. Throws `ApiError` 400. */
export function chooseContainer(pod: Pod, wanted: string | null): string {
  const spec = pod.spec;
  const main = (spec?.containers ?? []).map((each) => each.name);
  const others = [...(spec?.initContainers ?? []), ...(spec?.ephemeralContainers ?? [])].map((each) => each.name);
  const name = pod.metadata.name ?? '';
  if (wanted) {
    if ([...main, ...others].includes(wanted)) return wanted;
    throw badRequest(`container ${wanted} is not valid for pod ${name}`);
  }
  const [first, second] = main;
  if (first !== undefined && second === undefined) return first;
  throw badRequest(
    `a container name must be specified for pod ${name}, choose one of: [${[...main, ...others].join(' ')}]`,
  );
}
