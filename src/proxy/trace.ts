import { cidrContains, parseCidr } from '../lib/cidr.ts';
import { isLoopback, parseIp } from '../lib/ip.ts';
import type { Backend, Frontend, Protocol, Target } from '../routing/frontend.ts';
import type { NodeNetwork } from './dataplane.ts';
import { backendName } from './backend-name.ts';

/** A new connection whose way is asked for. */
export interface TraceQuestion {
  /** The caller's address; undefined for a process of this node. */
  readonly source: string | undefined;
  readonly destination: string;
  readonly port: number;
  readonly protocol: Protocol;
}

/** What the answer depends on. */
export interface TraceContext {
  readonly frontends: Iterable<Frontend>;
  readonly network: NodeNetwork;
  /** Addresses of this node. */
  readonly nodeAddresses: readonly string[];
}

/** Where a caller stands: it decides between inside and outside backends, and on masquerading. */
export type CallerKind = 'node' | 'local-pod' | 'cluster' | 'outside';

export interface BackendChance {
  readonly backend: Backend;
  /** Share of new connections: the chances of all backends sum to 1. */
  readonly chance: number;
}

export type TraceOutcome =
  | {
      readonly kind: 'forwarded';
      readonly backends: readonly BackendChance[];
      /** Whether backends see the node's address; a backend that is the caller itself always does. */
      readonly masquerade: boolean;
      readonly affinitySeconds: number | undefined;
    }
  | { readonly kind: 'refused' | 'ignored' | 'untouched' };

/** One step of the explanation, in the order in which packets meet it. */
export interface TraceStep {
  readonly title: string;
  readonly detail: string;
}

export interface Trace {
  readonly caller: CallerKind;
  readonly frontend: Frontend | undefined;
  readonly steps: readonly TraceStep[];
  readonly outcome: TraceOutcome;
}

/**
 * Explains what happens to a new connection, step by step, from the frontends alone: the same decisions every plane
 * carries out (the contract suite holds them together). Pure.
 */
export function traceConnection(context: TraceContext, question: TraceQuestion): Trace {
  const caller = callerOf(context, question.source);
  const steps: TraceStep[] = [{ title: 'caller', detail: describeCaller(caller, question.source) }];
  const frontend = findFrontend(context, question);
  if (frontend === undefined) {
    const { outcome, detail } = withoutFrontend(context, question);
    steps.push({ title: 'frontend', detail });
    return { caller, frontend, steps, outcome: { kind: outcome } };
  }
  steps.push({ title: 'frontend', detail: describeFrontend(frontend) });
  return { caller, frontend, steps, outcome: throughFrontend(context, question, caller, frontend, steps) };
}

/** Compares a traced frontend with what a plane reads back from the kernel. */
export function compareWithPlane(frontend: Frontend, inForce: Iterable<Frontend>): TraceStep {
  const found = [...inForce].find((each) => each.key === frontend.key);
  if (found === undefined) return { title: 'kernel', detail: `${frontend.key} is not in force here` };
  const missing = difference(frontend, found);
  const extra = difference(found, frontend);
  if (missing.length + extra.length === 0) return { title: 'kernel', detail: 'in force exactly so' };
  const parts = [
    ...(missing.length > 0 ? [`not in force: ${missing.join(', ')}`] : []),
    ...(extra.length > 0 ? [`still in force: ${extra.join(', ')}`] : []),
  ];
  return { title: 'kernel', detail: parts.join('; ') };
}

function difference(a: Frontend, b: Frontend): string[] {
  const have = new Set([...b.internal.backends, ...b.external.backends].map(backendName));
  const wanted = new Set([...a.internal.backends, ...a.external.backends].map(backendName));
  return [...wanted.difference(have), ...(a.internal.verdict === b.internal.verdict ? [] : [a.internal.verdict])];
}

function callerOf({ network, nodeAddresses }: TraceContext, source: string | undefined): CallerKind {
  if (source === undefined || nodeAddresses.includes(source) || isLoopbackText(source)) return 'node';
  if (isInside(network.podCidrs, source)) return 'local-pod';
  return isInside(network.clusterCidrs, source) ? 'cluster' : 'outside';
}

function describeCaller(caller: CallerKind, source: string | undefined): string {
  const who: Record<CallerKind, string> = {
    node: 'a process of this node',
    'local-pod': 'a Pod of this node',
    cluster: 'a Pod of another node',
    outside: 'outside the cluster',
  };
  return source === undefined ? who[caller] : `${source}: ${who[caller]}`;
}

/** The frontend with the address, else the node port when the address is one of this node that serves node ports. */
function findFrontend(context: TraceContext, question: TraceQuestion): Frontend | undefined {
  const matches = [...context.frontends].filter(
    (frontend) => frontend.port === question.port && frontend.protocol === question.protocol,
  );
  const exact = matches.find((frontend) => frontend.address === question.destination);
  if (exact !== undefined || !servesNodePorts(context, question.destination)) return exact;
  const family = question.destination.includes(':') ? 'IPv6' : 'IPv4';
  return matches.find((frontend) => frontend.address === undefined && frontend.family === family);
}

function servesNodePorts({ network, nodeAddresses }: TraceContext, address: string): boolean {
  if (!nodeAddresses.includes(address) || isLoopbackText(address)) return false;
  const asked = network.nodePortAddresses;
  return asked.length === 0 || asked.includes(address) || isInside(asked, address);
}

function withoutFrontend(
  context: TraceContext,
  { destination, port, protocol }: TraceQuestion,
): { readonly outcome: 'refused' | 'ignored' | 'untouched'; readonly detail: string } {
  const frontends = [...context.frontends];
  const sameAddress = frontends.filter((each) => each.address === destination && each.kind === 'ClusterIP');
  if (sameAddress.length > 0) {
    const ports = sameAddress.map((each) => `${each.port}/${each.protocol}`).join(', ');
    const service = sameAddress[0]?.service ?? '';
    return {
      outcome: 'refused',
      detail: `${destination} is ${service}, which has no port ${port}/${protocol}, only ${ports}`,
    };
  }
  if (isInside(context.network.serviceCidrs, destination)) {
    return { outcome: 'ignored', detail: `${destination} is in the Service range, but no Service has it` };
  }
  if (isLoopbackText(destination) && frontends.some((each) => each.address === undefined && each.port === port)) {
    return { outcome: 'untouched', detail: `port ${port} is a node port, but node ports do not answer on loopback` };
  }
  return { outcome: 'untouched', detail: describeUnrelated(frontends, context.network, destination) };
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

function describeFrontend({ key, kind, service, portName }: Frontend): string {
  return `${key} is the ${kind} of ${service}${portName === '' ? '' : `, port ${portName}`}`;
}

function throughFrontend(
  context: TraceContext,
  question: TraceQuestion,
  caller: CallerKind,
  frontend: Frontend,
  steps: TraceStep[],
): TraceOutcome {
  const isInsider = caller === 'node' || caller === 'local-pod';
  const target = isInsider ? frontend.internal : frontend.external;
  steps.push({ title: 'policy', detail: describePolicy(frontend, isInsider) });
  if (target.verdict === 'forward' && isShutOut(frontend, question.source)) {
    steps.push({ title: 'source ranges', detail: `only ${frontend.sourceRanges?.join(', ')} may call: ignored` });
    return { kind: 'ignored' };
  }
  const backends = chances(target);
  if (backends.length === 0) {
    const isDrop = target.verdict === 'drop';
    const detail = isDrop ? 'none on this node, though others exist: ignored' : 'none anywhere: refused at once';
    steps.push({ title: 'backends', detail });
    return { kind: isDrop ? 'ignored' : 'refused' };
  }
  steps.push({ title: 'backends', detail: describeBackends(backends) });
  const affinitySeconds = frontend.affinity?.timeoutSeconds;
  if (affinitySeconds !== undefined) {
    const detail = `a client stays with its backend until it was silent for ${affinitySeconds} s`;
    steps.push({ title: 'affinity', detail });
  }
  const masquerade = isMasqueraded(context, caller, frontend);
  steps.push({ title: 'source address', detail: masquerade ? "backends see the node's address" : 'kept' });
  return { kind: 'forwarded', backends, masquerade, affinitySeconds };
}

function describePolicy({ internal, external, kind, masquerade }: Frontend, isInsider: boolean): string {
  if (kind === 'ClusterIP') return 'cluster address: the same backends for every caller';
  if (masquerade !== 'never') return 'externalTrafficPolicy Cluster: backends of every node';
  if (isInsider) return 'externalTrafficPolicy Local does not bind callers inside: backends of every node';
  return `externalTrafficPolicy Local: ${external.backends.length} of ${internal.backends.length} backends are on this node`;
}

function describeBackends(backends: readonly BackendChance[]): string {
  return backends
    .map(({ backend, chance }) => {
      const pod = backend.pod === undefined ? '' : ` (${backend.pod})`;
      return `${backendName(backend)}${pod} ${Math.round(chance * 1000) / 10} %`;
    })
    .join(', ');
}

function isShutOut({ sourceRanges }: Frontend, source: string | undefined): boolean {
  return sourceRanges !== undefined && source !== undefined && !isInside(sourceRanges, source);
}

function chances(target: Target): BackendChance[] {
  if (target.verdict !== 'forward') return [];
  const open = target.backends.filter((backend) => backend.weight > 0);
  const total = open.reduce((sum, backend) => sum + backend.weight, 0);
  return open.map((backend) => ({ backend, chance: backend.weight / total }));
}

function isMasqueraded({ network }: TraceContext, caller: CallerKind, frontend: Frontend): boolean {
  if (frontend.masquerade !== 'off-cluster') return frontend.masquerade === 'always';
  return caller === 'outside' && network.clusterCidrs.length > 0;
}

function isInside(cidrs: readonly string[], address: string): boolean {
  return cidrs.some((text) => {
    const cidr = parseCidr(text);
    return cidr !== undefined && cidrContains(cidr, address);
  });
}

function isLoopbackText(address: string): boolean {
  const bytes = parseIp(address);
  return bytes !== undefined && isLoopback(bytes);
}
