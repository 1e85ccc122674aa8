import type { Service, ServicePort } from '../../api/core/service.ts';
import { parseIp } from '../../lib/ip.ts';
import type { Protocol } from '../../routing/frontend.ts';
import { CommandError, UsageError } from '../command-error.ts';
import { exitCodes } from '../exit-codes.ts';
import type { PodObject } from '../objects/pods-of.ts';

/** One end of a connection as a user writes it. */
export type EndpointWords =
  | { readonly kind: 'address'; readonly address: string; readonly port: string | undefined }
  | {
      readonly kind: 'pod' | 'service';
      readonly namespace: string | undefined;
      readonly name: string;
      readonly port: string | undefined;
    };

/** An end of a connection, found. */
export interface FoundEndpoint {
  readonly address: string;
  readonly port: number;
  readonly protocol: Protocol;
  /** `service shop/cart`, for the heading. */
  readonly label: string;
}

const kindWords: Readonly<Record<string, 'pod' | 'service'>> = {
  pod: 'pod',
  pods: 'pod',
  po: 'pod',
  svc: 'service',
  service: 'service',
  services: 'service',
};

/**
 * Reads `10.96.0.20:80`, `[fd00::1]:80`, `hello:80`, `hello.shop:http`, `shop/hello:80`, `svc/hello`, `pod/a:8080`. Throws
 * `UsageError`.
 */
export function readEndpoint(text: string): EndpointWords {
  const words = parseEndpoint(text);
  if (words === undefined) throw new UsageError(`"${text}" is not ADDRESS:PORT, NAME:PORT, svc/NAME:PORT or pod/NAME`);
  const { port = '' } = words;
  if (/^\d+$/.test(port) && (Number(port) < 1 || Number(port) > 65_535))
    throw new UsageError(`"${text}": ${port} is not a port, which is a number from 1 to 65535 or the name of one`);
  return words;
}

function parseEndpoint(text: string): EndpointWords | undefined {
  const bracketed = /^\[([^\]]+)\](?::(\w[\w-]*))?$/.exec(text);
  if (bracketed !== null) return { kind: 'address', address: bracketed[1] ?? '', port: bracketed[2] };
  if (isAddress(text)) return { kind: 'address', address: text, port: undefined };
  const parts = /^(?:([\w-]+)\/)?([\w.-]+?)(?::([\w-]+))?$/.exec(text);
  if (parts === null) return undefined;
  const [, prefix, name = '', port] = parts;
  if (prefix === undefined && isAddress(name)) return { kind: 'address', address: name, port };
  const kind = prefix === undefined ? undefined : kindWords[prefix];
  if (kind !== undefined) return { kind, namespace: undefined, name, port };
  if (prefix !== undefined) return { kind: 'service', namespace: prefix, name, port };
  const [service = '', namespace] = name.split('.');
  return { kind: 'service', namespace, name: service, port };
}

/** The address and port that clients of a Service call. Throws `CommandError` when there is none, and says why. */
export function serviceEndpoint(service: Service, port: string | undefined, protocol: Protocol): FoundEndpoint {
  const label = `service ${service.metadata.namespace}/${service.metadata.name}`;
  const address = service.spec?.clusterIP ?? '';
  if (service.spec?.type === 'ExternalName') {
    throw new CommandError(`${label} is an alias: clients are sent to ${service.spec.externalName} by DNS`, {
      hint: `fairlead dig ${service.metadata.name} -n ${service.metadata.namespace}`,
    });
  }
  if (address === 'None' || address === '') {
    throw new CommandError(`${label} has no address of its own: DNS gives those of its Pods`, {
      hint: `fairlead dig ${service.metadata.name} -n ${service.metadata.namespace}; then trace one of them`,
    });
  }
  const chosen = choosePort(service, label, port, protocol);
  return { address, port: chosen.port, protocol: chosen.protocol ?? 'TCP', label };
}

function choosePort(service: Service, label: string, wanted: string | undefined, protocol: Protocol): ServicePort {
  const ports = service.spec?.ports ?? [];
  const [only] = ports;
  if (wanted === undefined && ports.length === 1 && only !== undefined) return only;
  const named = ports.find(({ name }) => name !== undefined && name === wanted);
  if (named !== undefined) return named;
  // A number is taken even when the Service has no such port: what happens then is worth knowing.
  if (/^\d+$/.test(wanted ?? '')) return { port: Number(wanted), protocol };
  const list = ports.map(({ name, port }) => (name ? `${port} (${name})` : port)).join(', ');
  throw new CommandError(`${label} has the ports ${list}; say which`, { code: exitCodes.usage });
}

/** The address of a Pod. Throws `CommandError` when it has none yet. */
export function podAddress({ metadata, status }: PodObject): string {
  if (status?.podIP) return status.podIP;
  throw new CommandError(`pod ${metadata.namespace}/${metadata.name} has no address yet`, {
    hint: `fairlead describe pod ${metadata.name} -n ${metadata.namespace}`,
  });
}

function isAddress(text: string): boolean {
  return parseIp(text) !== undefined;
}
