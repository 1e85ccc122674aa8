import type { Endpoint, EndpointSlice } from '../api/discovery/endpoint-slice.ts';
import { canonicalIp, dashedIp } from '../lib/ip.ts';

/**
 * The label of an endpoint below its Service that does not come from its address, lower case: its hostname, else its Pod's
 * name where that is wanted, as far as these are labels.
 */
export function ownLabel({ hostname, targetRef }: Endpoint, namesByPod: boolean): string | undefined {
  if (isLabel(hostname)) return hostname.toLowerCase();
  const pod = namesByPod ? targetRef?.name : undefined;
  return isLabel(pod) ? pod.toLowerCase() : undefined;
}

function isLabel(text: string | undefined): text is string {
  return text !== undefined && /^[!-~]{1,63}$/.test(text) && !text.includes('.');
}

/**
 * The address of an endpoint that has names, canonical; undefined for others. Readiness is all DNS needs: the slice
 * controller has applied publishNotReadyAddresses already. Slices of type FQDN have nothing for DNS.
 */
export function readyAddress(endpoint: Endpoint, family: string): string | undefined {
  if (endpoint.conditions?.ready === false || (family !== 'IPv4' && family !== 'IPv6')) return undefined;
  const address = canonicalIp(endpoint.addresses?.[0] ?? '');
  return address?.includes(':') === (family === 'IPv6') ? address : undefined;
}

/** Addresses of the endpoints of a slice that have names, by their labels. */
export function addressesByLabel(
  { endpoints = [], addressType }: EndpointSlice,
  namesByPod: boolean,
): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const endpoint of endpoints) {
    const address = readyAddress(endpoint, addressType);
    if (address === undefined) continue;
    const label = ownLabel(endpoint, namesByPod) ?? dashedIp(address);
    const same = found.get(label);
    if (same === undefined) found.set(label, [address]);
    else same.push(address);
  }
  return found;
}
