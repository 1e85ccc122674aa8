import { needsHealthCheckPort, needsNodePorts } from '../../api/core/service-strategy.ts';
import type { ServicePort, ServiceSpec } from '../../api/core/service.ts';
import { Issues } from '../../api/issues.ts';
import { nodePortBand, pickFree } from './bands.ts';

/** Both ends are part of it. */
export interface PortRange {
  readonly from: number;
  readonly to: number;
}

export const defaultPortRange: PortRange = { from: 30_000, to: 32_767 };

/** The ports as one Service sees them. */
export interface PortPool {
  readonly range: PortRange;
  /** Does another Service have it? */
  isTaken(port: number): boolean;
  /** From 0 to below 1. */
  random(): number;
}

/**
 * Gives the Service its node ports and health check port, as far as its type needs them; numbers that it had before or
 * asks for stay. Ports of one number (TCP and UDP) share a node port. What cannot be is noted in `issues`.
 */
export function assignPorts(
  spec: ServiceSpec,
  old: ServiceSpec | undefined,
  pool: PortPool,
  issues: Issues,
): ServiceSpec {
  const held = new Set([...portNumbers(old), old?.healthCheckNodePort ?? 0]);
  const used = new Set(portNumbers(spec));
  const assignment: Assignment = { pool, held, used, byPort: requestedPorts(spec), issues };
  const ports = spec.ports?.map((port, index) => assignPort(port, `spec.ports[${index}].nodePort`, spec, assignment));
  const assigned = ports === undefined ? spec : { ...spec, ports };
  return needsHealthCheckPort(spec) ? assignHealthCheckPort(assigned, assignment) : assigned;
}

interface Assignment {
  readonly pool: PortPool;
  /** What the Service had before. */
  readonly held: ReadonlySet<number>;
  /** What it has now. */
  readonly used: Set<number>;
  /** Node port by port number. */
  readonly byPort: Map<number, number>;
  readonly issues: Issues;
}

function portNumbers(spec: ServiceSpec | undefined): number[] {
  return (spec?.ports ?? []).map(({ nodePort = 0 }) => nodePort).filter((port) => port !== 0);
}

function requestedPorts(spec: ServiceSpec): Map<number, number> {
  const requested = (spec.ports ?? []).filter(({ nodePort = 0 }) => nodePort !== 0).toReversed();
  return new Map(requested.map(({ port, nodePort = 0 }) => [port, nodePort]));
}

function assignPort(port: ServicePort, path: string, spec: ServiceSpec, assignment: Assignment): ServicePort {
  const { nodePort = 0 } = port;
  if (nodePort !== 0) {
    checkRequested(nodePort, path, assignment);
    return port;
  }
  if (!needsNodePorts(spec)) return port;
  const chosen = assignment.byPort.get(port.port) ?? pickPort(path, 'a nodePort', assignment);
  if (chosen === undefined) return port;
  assignment.byPort.set(port.port, chosen);
  return { ...port, nodePort: chosen };
}

function assignHealthCheckPort(spec: ServiceSpec, assignment: Assignment): ServiceSpec {
  const { healthCheckNodePort = 0 } = spec;
  const path = 'spec.healthCheckNodePort';
  if (healthCheckNodePort !== 0) {
    checkRequested(healthCheckNodePort, path, assignment);
    return spec;
  }
  const chosen = pickPort(path, 'a HealthCheck NodePort', assignment);
  return chosen === undefined ? spec : { ...spec, healthCheckNodePort: chosen };
}

function checkRequested(port: number, path: string, { pool, held, issues }: Assignment): void {
  const { from, to } = pool.range;
  if (held.has(port)) return;
  if (port < from || port > to) {
    const message = `provided port is not in the valid range. The range of valid ports is ${from}-${to}`;
    issues.invalid(path, port, message);
  } else if (pool.isTaken(port)) issues.invalid(path, port, 'provided port is already allocated');
}

function pickPort(path: string, what: string, { pool, held, used, issues }: Assignment): number | undefined {
  const { range, random } = pool;
  const size = range.to - range.from + 1;
  const isFree = (index: number): boolean => {
    const port = range.from + index;
    return !used.has(port) && !held.has(port) && !pool.isTaken(port);
  };
  const index = pickFree(size, nodePortBand(size), isFree, random);
  if (index === undefined) {
    issues.invalid(path, 0, `failed to allocate ${what}: range is full`);
    return undefined;
  }
  used.add(range.from + index);
  return range.from + index;
}
