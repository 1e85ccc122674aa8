import { isStrictCidr, parseCidr } from '../lib/cidr.ts';
import { isIpv4Mapped, isLinkLocal, isLoopback, isMulticast, isUnspecified, parseIp } from '../lib/ip.ts';

/**
 * What addresses and CIDRs in objects may look like, with Kubernetes' messages; empty when nothing is wrong. Strict as
 * KEP-4858 asks: no leading zeros, no IPv4-mapped IPv6, no host bits in a CIDR.
 */

const notAnAddress = 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)';
const notACidr = 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)';

function hasLeadingZeros(value: string): boolean {
  return /^(\d{1,3}\.){3}\d{1,3}$/.test(value) && /(^|\.)0\d/.test(value);
}

/** Any IP address. */
export function ipAddress(value: string): readonly string[] {
  const bytes = parseIp(value);
  if (bytes === undefined) return [hasLeadingZeros(value) ? 'must not have leading 0s' : notAnAddress];
  return isIpv4Mapped(bytes) ? ['must not be an IPv4-mapped IPv6 address'] : [];
}

/** An address that traffic can be sent to: not loopback, link-local or multicast. The value must be an address. */
export function reachableAddress(value: string, allowLoopback: boolean): readonly string[] {
  const bytes = parseIp(value);
  if (bytes === undefined) return [notAnAddress];
  if (isUnspecified(bytes)) return [`may not be unspecified (${value})`];
  if (isLoopback(bytes) && !allowLoopback) return ['may not be in the loopback range (127.0.0.0/8, ::1/128)'];
  if (isLinkLocal(bytes)) return ['may not be in the link-local range (169.254.0.0/16, fe80::/10)'];
  if (isMulticast(bytes)) return ['may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)'];
  return [];
}

/** A CIDR with all host bits zero. */
export function cidr(value: string): readonly string[] {
  const [address = '', prefix = ''] = value.split('/');
  if (hasLeadingZeros(address) || /^0\d/.test(prefix)) return ['must not have leading 0s in IP or prefix length'];
  if (parseCidr(value) === undefined) return [notACidr];
  return isStrictCidr(value) ? [] : ['must not have bits set beyond the prefix length'];
}
