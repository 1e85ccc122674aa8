import { cidrContains, parseCidr } from '../../lib/cidr.ts';
import { isLoopback, parseIp } from '../../lib/ip.ts';
import type { Frontend } from '../../routing/frontend.ts';
import type { NodeNetwork } from '../dataplane.ts';
import type { CallerKind, TraceContext, TraceQuestion } from '../trace.ts';

/** Where a caller stands. */
export function callerOf({ network, nodeAddresses }: TraceContext, source: string | undefined): CallerKind {
  if (source === undefined || nodeAddresses.includes(source) || isLoopbackText(source)) return 'node';
  if (isInside(network.podCidrs, source)) return 'local-pod';
  return isInside(network.clusterCidrs, source) ? 'cluster' : 'outside';
}

export function describeCaller(caller: CallerKind, source: string | undefined, { podLinks = [] }: NodeNetwork): string {
  const who: Record<CallerKind, string> = {
    node: 'a process of this node',
    'local-pod': 'a Pod of this node',
    cluster: 'a Pod of another node',
    outside: 'outside the cluster',
  };
  if (source === undefined) return who[caller];
  const links =
    podLinks.length === 0
      ? ''
      : ` (by its address; packets are told by the link they come through: ${podLinks.join(', ')})`;
  return `${source}: ${who[caller]}${links}`;
}

/** The frontend with the address, else the node port when the address is one of this node that serves node ports. */
export function findFrontend(context: TraceContext, question: TraceQuestion): Frontend | undefined {
  const matches = [...context.frontends].filter(
    (frontend) => frontend.protocol === question.protocol && hasPort(frontend, question.port),
  );
  const exact = closest(matches.filter((frontend) => frontend.address === question.destination));
  if (exact !== undefined || !servesNodePorts(context, question)) return exact;
  const family = question.destination.includes(':') ? 'IPv6' : 'IPv4';
  return closest(matches.filter((frontend) => frontend.address === undefined && frontend.family === family));
}

/** A port of its own comes before a range. */
function closest(frontends: readonly Frontend[]): Frontend | undefined {
  return frontends.find(({ lastPort }) => lastPort === undefined) ?? frontends[0];
}

function hasPort({ port, lastPort }: Frontend, asked: number): boolean {
  return port <= asked && asked <= (lastPort ?? port);
}

function servesNodePorts({ network, nodeAddresses }: TraceContext, { destination, protocol }: TraceQuestion): boolean {
  if (isLoopbackText(destination)) return network.nodePortLocalhost === true && protocol !== 'SCTP';
  if (!nodeAddresses.includes(destination)) return false;
  const asked = network.nodePortAddresses;
  return asked.length === 0 || asked.includes(destination) || isInside(asked, destination);
}

/** What happens to a connection that no frontend takes, and why. */
export function withoutFrontend(
  context: TraceContext,
  { destination, port, protocol }: TraceQuestion,
): { readonly outcome: 'refused' | 'ignored' | 'untouched'; readonly detail: string } {
  const frontends = [...context.frontends];
  const sameAddress = frontends.filter((each) => each.address === destination && each.kind === 'ClusterIP');
  if (sameAddress.length > 0) {
    const ports = sameAddress.map((each) => `${portsOf(each)}/${each.protocol}`).join(', ');
    const service = sameAddress[0]?.service ?? '';
    return {
      outcome: 'refused',
      detail: `${destination} is ${service}, which has no port ${port}/${protocol}, only ${ports}`,
    };
  }
  if (isInside(context.network.serviceCidrs, destination)) {
    return { outcome: 'ignored', detail: `${destination} is in the Service range, but no Service has it` };
  }
  const isNodePort = frontends.some((each) => each.address === undefined && hasPort(each, port));
  if (isLoopbackText(destination) && isNodePort) {
    return { outcome: 'untouched', detail: `port ${port} is a node port, but node ports do not answer on loopback` };
  }
  if (context.nodeAddresses.includes(destination) && isNodePort) {
    const where = context.network.nodePortAddresses.join(', ');
    return { outcome: 'untouched', detail: `port ${port} is a node port, but node ports answer on ${where} only` };
  }
  return { outcome: 'untouched', detail: describeUnrelated(frontends, context.network, destination) };
}

/** `80`, `8000-8999`. */
export function portsOf({ port, lastPort }: Frontend): string {
  return lastPort === undefined ? `${port}` : `${port}-${lastPort}`;
}

/** A Pod's own address is nobody's frontend: headless Services, probes and other Pods call it directly. */
function describeUnrelated(frontends: readonly Frontend[], network: NodeNetwork, destination: string): string {
  const services = new Set(
    frontends
      .filter((each) => each.internal.backends.some((backend) => backend.address === destination))
      .map((each) => each.service),
  );
  const isPod = services.size > 0 || isInside(network.clusterCidrs, destination);
  if (!isPod) return `${destination} is no Service's address: the packet goes where routing sends it`;
  const behind = services.size > 0 ? ` (it serves ${[...services].join(', ')})` : '';
  return `${destination} is a Pod's own address${behind}: called directly, as headless Services do; no Service takes part`;
}

/** Whether an address is in one of the ranges. */
export function isInside(cidrs: readonly string[], address: string): boolean {
  return cidrs.some((text) => {
    const cidr = parseCidr(text.trim());
    return cidr !== undefined && cidrContains(cidr, address);
  });
}

function isLoopbackText(address: string): boolean {
  const bytes = parseIp(address);
  return bytes !== undefined && isLoopback(bytes);
}
