import type { Backend, Frontend, Protocol, Target } from '../routing/frontend.ts';
import { backendName } from './backend-name.ts';
import type { NodeNetwork, PlaneName } from './dataplane.ts';
import { percent } from './differences.ts';
import { callerOf, describeCaller, findFrontend, isInside, portsOf, withoutFrontend } from './trace/lookup.ts';
import { choiceOf, wayOf } from './trace/plane-words.ts';

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
  /** The plane that carries it out, for what is particular to it; undefined when unknown. */
  readonly plane?: PlaneName | undefined;
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
  const steps: TraceStep[] = [{ title: 'caller', detail: describeCaller(caller, question.source, context.network) }];
  const frontend = findFrontend(context, question);
  if (frontend === undefined) {
    const { outcome, detail } = withoutFrontend(context, question);
    steps.push({ title: 'frontend', detail });
    return { caller, frontend, steps, outcome: { kind: outcome } };
  }
  steps.push({ title: 'frontend', detail: describeFrontend(frontend) });
  return { caller, frontend, steps, outcome: throughFrontend(context, question, caller, frontend, steps) };
}

function describeFrontend(frontend: Frontend): string {
  const { key, kind, service, portName, lastPort } = frontend;
  const range = lastPort === undefined ? '' : `, ports ${portsOf(frontend)}`;
  return `${key} is the ${kind} of ${service}${portName === '' ? '' : `, port ${portName}`}${range}`;
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
  const backends = chances(target, frontend.lastPort === undefined ? undefined : question.port);
  if (backends.length === 0) {
    const isDrop = target.verdict === 'drop';
    const detail = isDrop ? 'none on this node, though others exist: ignored' : 'none anywhere: refused at once';
    steps.push({ title: 'backends', detail });
    return { kind: isDrop ? 'ignored' : 'refused' };
  }
  steps.push({ title: 'backends', detail: describeBackends(backends) });
  const masquerade = isMasqueraded(context, caller, frontend);
  const affinitySeconds = frontend.affinity?.timeoutSeconds;
  const add = (title: string, detail: string | undefined) => detail !== undefined && steps.push({ title, detail });
  add('choice', choiceOf(frontend, context.plane));
  add('affinity', describeAffinity(affinitySeconds));
  add('source address', describeSource(context, question, backends, masquerade));
  add('way', context.plane && wayOf(context.plane, caller, frontend));
  add('removed backends', describeReset(frontend));
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
      return `${backendName(backend)}${pod} ${percent(chance)}`;
    })
    .join(', ');
}

function describeAffinity(seconds: number | undefined): string | undefined {
  return seconds === undefined ? undefined : `a client stays with its backend until it was silent for ${seconds} s`;
}

function describeSource(
  { plane }: TraceContext,
  { source }: TraceQuestion,
  backends: readonly BackendChance[],
  masquerade: boolean,
): string {
  if (plane === 'userspace') return 'backends see this machine';
  if (masquerade) return "backends see the node's address";
  const isHairpin = backends.some(({ backend }) => backend.address === source);
  return isHairpin ? "kept, but for the caller's connections to itself: those show the node's address" : 'kept';
}

function describeReset({ protocol, resetAfterSeconds }: Frontend): string | undefined {
  if (protocol !== 'TCP' || resetAfterSeconds === undefined) return undefined;
  return resetAfterSeconds === 0
    ? 'their connections are reset at once'
    : `their connections are reset after ${resetAfterSeconds} s`;
}

function isShutOut({ sourceRanges }: Frontend, source: string | undefined): boolean {
  return sourceRanges !== undefined && source !== undefined && !isInside(sourceRanges, source);
}

/** `port`: the one that was called, where connections keep it. */
function chances(target: Target, port: number | undefined): BackendChance[] {
  if (target.verdict !== 'forward') return [];
  const open = target.backends.filter((backend) => backend.weight > 0);
  const total = open.reduce((sum, backend) => sum + backend.weight, 0);
  return open.map((backend) => ({
    backend: port === undefined ? backend : { ...backend, port },
    chance: backend.weight / total,
  }));
}

function isMasqueraded({ network }: TraceContext, caller: CallerKind, frontend: Frontend): boolean {
  if (network.masqueradeAll === true) return true;
  if (frontend.masquerade !== 'off-cluster') return frontend.masquerade === 'always';
  return caller === 'outside' && network.clusterCidrs.length > 0;
}
