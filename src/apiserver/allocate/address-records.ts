import { IPAddress } from '../../api/networking/ip-address.ts';
import { formatTime } from '../../api/times.ts';
import { canonicalIp, familyOf } from '../../lib/ip.ts';
import type { Operation } from '../../store/store.ts';
import { encodeStored } from '../cache/item.ts';
import { keyOf } from '../server.ts';

/** The label that says whose records are maintained here; others are their makers' business. */
export const managedByLabel = 'ipaddress.kubernetes.io/managed-by';
export const managedByServices = 'ipallocator.k8s.io';
const familyLabel = 'ipaddress.kubernetes.io/ip-family';

/** What makes a record: when, and with which identity. */
export interface RecordBirth {
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
  readonly uid: string;
}

/** The IPAddress that says the Service `owner` (`namespace/name`) has the address (KEP-1880). */
export function addressRecord(ip: string, owner: string, { nowMs, uid }: RecordBirth): IPAddress {
  const [namespace = '', name = ''] = owner.split('/');
  const labels = { [familyLabel]: familyOf(ip) ?? '', [managedByLabel]: managedByServices };
  return {
    kind: IPAddress.kind,
    apiVersion: IPAddress.apiVersion,
    metadata: { name: canonicalIp(ip) ?? ip, uid, creationTimestamp: formatTime(nowMs), labels },
    spec: { parentRef: { group: '', resource: 'services', namespace, name } },
  };
}

/** Makes the record; conflicts when the address has one. */
export function putRecord(record: IPAddress): Operation {
  return { type: 'put', key: recordKey(record.metadata.name ?? ''), value: encodeStored(record), expected: 'absent' };
}

/** Takes the record of an address away, if there is one. */
export function deleteRecord(ip: string): Operation {
  return { type: 'delete', key: recordKey(canonicalIp(ip) ?? ip), expected: 'any' };
}

function recordKey(ip: string): string {
  return keyOf(IPAddress, undefined, ip);
}

/** `namespace/name` of the Service that a record names; undefined when it names something else. */
export function recordOwner({ spec: { parentRef } }: IPAddress): string | undefined {
  const { group = '', resource, namespace = '', name = '' } = parentRef ?? {};
  return group === '' && resource === 'services' ? `${namespace}/${name}` : undefined;
}
