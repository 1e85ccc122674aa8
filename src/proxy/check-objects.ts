import { conformObject } from '../api/conform.ts';
import { Service } from '../api/core/service.ts';
import { EndpointSlice } from '../api/discovery/endpoint-slice.ts';
import { familyOf } from '../lib/ip.ts';
import { errorText } from '../observe/log.ts';

/**
 * What the API server should never send, and what would bring down more than the one Service if it did: wrong types, ports
 * out of range, addresses that are none. Pure.
 */
export interface Checked<T> {
  /** Without the parts that cannot be used; undefined when nothing of it can. */
  readonly object: T | undefined;
  /** What was left out, and why: sentences for people. */
  readonly problems: readonly string[];
}

export function checkService(service: Service): Checked<Service> {
  return conformed(
    () => conformObject(Service, service).value,
    (object) => {
      const ports = object.spec?.ports ?? [];
      const problems = ports.flatMap(({ port, nodePort = 0 }, index) => [
        ...(isPort(port) ? [] : [`spec.ports[${index}].port: ${port} is not a port`]),
        ...(nodePort === 0 || isPort(nodePort) ? [] : [`spec.ports[${index}].nodePort: ${nodePort} is not a port`]),
      ]);
      if (problems.length === 0) return { object, problems };
      const good = ports.filter(({ port, nodePort = 0 }) => isPort(port) && (nodePort === 0 || isPort(nodePort)));
      return { object: { ...object, spec: { ...object.spec, ports: good } }, problems };
    },
  );
}

export function checkSlice(slice: EndpointSlice): Checked<EndpointSlice> {
  return conformed(
    () => conformObject(EndpointSlice, slice).value,
    (object) => {
      const ports = object.ports ?? [];
      const good = ports.filter(({ port }) => port === undefined || isPort(port));
      const problems = ports.filter((each) => !good.includes(each)).map(({ port }) => `ports: ${port} is not a port`);
      problems.push(...addressProblems(object));
      return { object: good.length === ports.length ? object : { ...object, ports: good }, problems };
    },
  );
}

function conformed<T>(read: () => T, check: (object: T) => Checked<T>): Checked<T> {
  try {
    return check(read());
  } catch (error) {
    return { object: undefined, problems: [errorText(error)] };
  }
}

function isPort(port: number | undefined): boolean {
  return port !== undefined && port >= 1 && port <= 65_535;
}

/** Routing leaves these endpoints out; names of one kind of address (FQDN) are none of its business. */
function addressProblems({ addressType, endpoints }: EndpointSlice): string[] {
  if (addressType !== 'IPv4' && addressType !== 'IPv6') return [];
  const wrong: string[] = [];
  for (const [index, { addresses }] of (endpoints ?? []).entries()) {
    const first = addresses?.[0] ?? '';
    if (familyOf(first) !== addressType) {
      wrong.push(`endpoints[${index}].addresses[0]: "${first}" is not an ${addressType} address`);
    }
  }
  return wrong;
}
