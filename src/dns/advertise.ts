import { setTimeout as sleep } from 'node:timers/promises';
import { isConflict, isNotFound } from '../api/errors.ts';
import { Service } from '../api/core/service.ts';
import { EndpointSlice } from '../api/discovery/endpoint-slice.ts';
import type { ApiObject } from '../api/meta/object-meta.ts';
import type { Kind } from '../api/schema.ts';
import type { Caches } from '../client/caches.ts';
import type { Client } from '../client/client.ts';
import { canonicalIp } from '../lib/ip.ts';
import type { Logger } from '../observe/log.ts';
import { serviceNameLabel } from '../routing/labels.ts';
import type { AdvertiseConfig, SocketAddress } from './config.ts';

const manager = 'fairlead-dns';
const dnsPort = 53;

/** The objects that lead Pods to this server. */
export interface Advertised {
  readonly service: Service;
  /** One for each family that has an address. */
  readonly slices: readonly EndpointSlice[];
}

/** What should be in the API: a Service without selector, whose slices are ours alone. Pure. */
export function advertised(config: AdvertiseConfig): Advertised {
  const { serviceIp, namespace = 'kube-system', name = 'kube-dns', addresses } = config;
  const service: Service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace, labels: { 'k8s-app': 'kube-dns', 'kubernetes.io/cluster-service': 'true' } },
    spec: {
      type: 'ClusterIP',
      clusterIP: serviceIp,
      ports: [
        { name: 'dns', port: dnsPort, protocol: 'UDP' },
        { name: 'dns-tcp', port: dnsPort, protocol: 'TCP' },
      ],
    },
  };
  const slices = (['IPv4', 'IPv6'] as const).flatMap((family) => {
    const ofFamily = addresses.filter(({ address }) => address.includes(':') === (family === 'IPv6'));
    return ofFamily.length === 0 ? [] : [sliceOf(namespace, name, family, ofFamily)];
  });
  return { service, slices };
}

function sliceOf(
  namespace: string,
  name: string,
  family: 'IPv4' | 'IPv6',
  addresses: readonly SocketAddress[],
): EndpointSlice {
  const port = addresses[0]?.port ?? dnsPort;
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name: `${name}-fairlead-${family.toLowerCase()}`,
      namespace,
      labels: { [serviceNameLabel]: name, 'endpointslice.kubernetes.io/managed-by': manager },
    },
    addressType: family,
    ports: [
      { name: 'dns', port, protocol: 'UDP' },
      { name: 'dns-tcp', port, protocol: 'TCP' },
    ],
    endpoints: addresses.map(({ address }) => ({
      addresses: [canonicalIp(address) ?? address],
      conditions: { ready: true, serving: true, terminating: false },
    })),
  };
}

export interface AdvertiseOptions {
  readonly config: AdvertiseConfig;
  readonly client: Client;
  readonly caches: Caches;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

const retryMs = { first: 100, longest: 5000 } as const;

/** Keeps the objects as they should be until the signal aborts: also when someone changes or deletes them. Never rejects. */
export async function advertise({ config, client, caches, logger, signal }: AdvertiseOptions): Promise<void> {
  const wanted = advertised(config);
  const { name = '', namespace = '' } = wanted.service.metadata;
  let isDirty = true;
  let wake: () => void = () => undefined;
  const onChange = (changes: readonly { readonly current?: ApiObject; readonly old?: ApiObject }[]): void => {
    const isOurs = changes.some(({ current, old }) => {
      const metadata = (current ?? old)?.metadata;
      return metadata?.namespace === namespace && metadata.name?.startsWith(name) === true;
    });
    if (!isOurs) return;
    isDirty = true;
    wake();
  };
  using _services = caches.of(Service).subscribe(onChange);
  using _slices = caches.of(EndpointSlice).subscribe(onChange);
  signal.addEventListener('abort', () => wake(), { once: true });
  let delayMs = 0;
  while (!signal.aborted) {
    if (!isDirty) await new Promise<void>((resolve) => (wake = resolve));
    if (signal.aborted) return;
    isDirty = false;
    try {
      await ensureService(client, wanted.service, logger);
      for (const slice of wanted.slices) await ensureSlice(client, slice);
      delayMs = 0;
    } catch (error) {
      isDirty = true;
      delayMs = Math.min(delayMs * 2 || retryMs.first, retryMs.longest);
      logger.debug('the DNS Service could not be written yet', { error, retryMs: delayMs });
    }
    // Also after success: someone who keeps changing the objects must not make us spin.
    await sleep(Math.max(delayMs, retryMs.first), undefined, { signal }).catch(() => undefined);
  }
}

async function ensureService(client: Client, wanted: Service, logger: Logger): Promise<void> {
  const found = await find(client, Service, wanted);
  if (found === undefined) {
    await client.create(Service, wanted, { fieldManager: manager });
    return;
  }
  const asked = wanted.spec?.clusterIP;
  if (asked !== undefined && found.spec?.clusterIP !== asked) {
    logger.warn('the DNS Service has another cluster IP than configured; it cannot be changed', {
      configured: asked,
      found: found.spec?.clusterIP,
    });
  }
  const ports = wanted.spec?.ports ?? [];
  const isRight = ports.every((port) =>
    found.spec?.ports?.some((it) => it.name === port.name && it.port === port.port),
  );
  if (isRight && Object.keys(found.spec?.selector ?? {}).length === 0) return;
  const { selector: _selector, ...spec } = found.spec ?? {};
  await update(client, Service, { ...found, spec: { ...spec, ports } });
}

async function ensureSlice(client: Client, wanted: EndpointSlice): Promise<void> {
  const found = await find(client, EndpointSlice, wanted);
  if (found === undefined) await client.create(EndpointSlice, wanted, { fieldManager: manager });
  else if (!isSameSlice(found, wanted)) {
    const labels = { ...found.metadata.labels, ...wanted.metadata.labels };
    await update(client, EndpointSlice, { ...wanted, metadata: { ...found.metadata, labels } });
  }
}

function isSameSlice(found: EndpointSlice, wanted: EndpointSlice): boolean {
  const essence = ({ metadata, ports, endpoints }: EndpointSlice): string =>
    JSON.stringify([
      metadata.labels?.[serviceNameLabel],
      ports?.map((port) => [port.name, port.port, port.protocol]),
      endpoints?.map(({ addresses, conditions }) => [addresses, conditions?.ready !== false]),
    ]);
  return essence(found) === essence(wanted);
}

async function find<T extends ApiObject>(client: Client, kind: Kind<T>, wanted: T): Promise<T | undefined> {
  try {
    return await client.get(kind, wanted.metadata.name ?? '', { namespace: wanted.metadata.namespace });
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/** Compare-and-swap: the version that was read must still be there. A conflict is left to the next change event. */
async function update<T extends ApiObject>(client: Client, kind: Kind<T>, object: T): Promise<void> {
  try {
    await client.update(kind, object, { fieldManager: manager });
  } catch (error) {
    if (!isConflict(error)) throw error;
    throw new Error('changed by someone else at the same time', { cause: error });
  }
}
