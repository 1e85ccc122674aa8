import { parseDocument } from 'yaml';
import { Namespace } from '../../../api/core/namespace.ts';
import { Node } from '../../../api/core/node.ts';
import { Pod } from '../../../api/core/pod.ts';
import { Service } from '../../../api/core/service.ts';
import { EndpointSlice } from '../../../api/discovery/endpoint-slice.ts';
import type { ApiObject } from '../../../api/meta/object-meta.ts';
import type { Kind } from '../../../api/schema.ts';
import { ServiceImport } from '../../service-import.ts';

/** An object with its kind. */
export interface Described {
  readonly kind: Kind<ApiObject>;
  readonly object: ApiObject;
}

/** The kinds that scenarios know. */
const kinds = { Namespace, Node, Pod, Service, EndpointSlice, ServiceImport };

const protocols = ['TCP', 'UDP', 'SCTP'] as const;

/**
 * An object of one line, `Kind namespace/name words…`; README.md lists the words of each kind. Throws RangeError with what
 * it is not.
 */
export function describedBy(text: string): Described {
  const [kind = '', where = '', ...words] = text.split(/\s+/);
  const [first = '', second] = where.split('/');
  const metadata = second === undefined ? { name: first } : { name: second, namespace: first };
  switch (kind) {
    case 'Namespace':
      return of(Namespace, { metadata, spec: {}, status: {} });
    case 'Node':
      return of(Node, { metadata, spec: {}, status: { addresses: words.map(nodeAddress) } });
    case 'Pod':
      return of(Pod, podOf(metadata, words));
    case 'Service':
      return of(Service, { metadata, spec: serviceSpec(words) });
    case 'EndpointSlice':
      return of(EndpointSlice, sliceOf(metadata, words));
    default:
      throw new RangeError(`"${kind}" is none of the kinds that have one line: ${Object.keys(kinds).join(', ')}`);
  }
}

/** An object as YAML. Throws RangeError when it is none. */
export function describedByYaml(text: string): Described {
  const document = parseDocument(text);
  const [problem] = document.errors;
  if (problem !== undefined) throw new RangeError(problem.message);
  const object = document.toJS() as ApiObject & { readonly kind?: string };
  const kind = Object.entries(kinds).find(([name]) => name === object.kind)?.[1];
  if (kind === undefined) throw new RangeError(`"${object.kind ?? ''}" is none of ${Object.keys(kinds).join(', ')}`);
  return { kind: kind as unknown as Kind<ApiObject>, object };
}

function of<T extends ApiObject>(kind: Kind<T>, object: T): Described {
  return { kind: kind as unknown as Kind<ApiObject>, object };
}

function nodeAddress(address: string) {
  return { type: 'InternalIP', address };
}

function podOf(metadata: ApiObject['metadata'], [ips = '']: readonly string[]): Pod {
  const podIPs = ips.split(',').map((ip) => ({ ip }));
  const uid = `uid-of-${metadata.namespace}-${metadata.name}`;
  return {
    metadata: { ...metadata, uid },
    spec: { containers: [] },
    status: { phase: 'Running', podIP: podIPs[0]?.ip, podIPs },
  };
}

/** `10.96.0.1,fd00::1` or `None` or `alias=www.example.com`, then ports `http:80` or `dns:53/UDP`. */
function serviceSpec([what = '', ...ports]: readonly string[]): NonNullable<Service['spec']> {
  if (what.startsWith('alias=')) return { type: 'ExternalName', externalName: what.slice('alias='.length) };
  const clusterIPs = what.split(',');
  return { type: 'ClusterIP', clusterIP: clusterIPs[0], clusterIPs, ports: ports.map(portOf) };
}

function portOf(text: string) {
  const match = /^([a-z0-9-]*):(\d+)(?:\/(TCP|UDP|SCTP))?$/.exec(text);
  if (match === null) throw new RangeError(`"${text}" is no port: name:80 or name:53/UDP`);
  return { name: match[1], port: Number(match[2]), protocol: protocols.find((each) => each === match[3]) ?? 'TCP' };
}

/** `of=SERVICE`, ports, then endpoints behind `-`: `- 10.244.1.2 host=db-0 zone=a pod=db-0 !ready`. */
function sliceOf(metadata: ApiObject['metadata'], words: readonly string[]): EndpointSlice {
  const [head = [], ...endpoints] = words
    .join(' ')
    .split(/ ?- /)
    .map((part) => part.split(' ').filter(Boolean));
  const service = head.find((word) => word.startsWith('of='))?.slice('of='.length) ?? '';
  const made = endpoints.map(endpointOf);
  return {
    metadata: { ...metadata, labels: { 'kubernetes.io/service-name': service } },
    addressType: made[0]?.addresses[0]?.includes(':') ? 'IPv6' : 'IPv4',
    ports: head.filter((word) => !word.includes('=')).map(portOf),
    endpoints: made,
  };
}

function endpointOf([address = '', ...words]: readonly string[]) {
  const word = (name: string): string | undefined =>
    words.find((each) => each.startsWith(`${name}=`))?.slice(name.length + 1);
  const pod = word('pod');
  return {
    addresses: [address],
    conditions: { ready: !words.includes('!ready') },
    hostname: word('host'),
    zone: word('zone'),
    targetRef: pod === undefined ? undefined : { kind: 'Pod', name: pod },
  };
}
