/** CoreDNS's words for what is counted here: label values and bounds of its metrics, in one place. */
import { formatIp, parseIp } from '../lib/ip.ts';
import type { ListenSettings } from './settings/settings.ts';
import { typeNumbers } from './wire/types.ts';

/**
 * What `plugin` says of an answer, by the handler that gave it. Those that CoreDNS has not have their own names; what no
 * handler answered has none.
 */
const plugins = {
  refused: '',
  cache: 'cache',
  chaos: 'chaos',
  log: 'log',
  rewrite: 'rewrite',
  autopath: 'autopath',
  acl: 'acl',
  visibility: 'visibility',
  minimal: 'minimal',
  dns64: 'dns64',
  transfer: 'transfer',
  hosts: 'hosts',
  template: 'template',
  file: 'file',
  external: 'k8s_external',
  cluster: 'kubernetes',
  special: 'local',
  any: 'any',
  ipv6: 'ipv6',
  forward: 'forward',
} as const;

export type HandlerName = keyof typeof plugins;

/** By number. */
export const pluginNames: readonly string[] = Object.values(plugins);

const handlerNames: readonly string[] = Object.keys(plugins);

/** Number of the plugin that a handler is called by. Throws RangeError for a handler without one. */
export function pluginNumber(handler: HandlerName | (string & {})): number {
  const number = handlerNames.indexOf(handler);
  if (number < 0) throw new RangeError(`the handler "${handler}" has no name in metrics`);
  return number;
}

/** Types that are counted by name; all others count as `other`, which is number 0. */
const countedTypes = [
  ...(['A', 'AAAA', 'MX', 'SOA', 'CNAME', 'PTR', 'TXT', 'NS', 'SRV', 'DS', 'DNSKEY'] as const),
  ...(['RRSIG', 'NSEC', 'NSEC3', 'HTTPS', 'IXFR', 'AXFR', 'ANY'] as const),
];

/** By number. */
export const typeLabels: readonly string[] = ['other', ...countedTypes];

const typeSlots = new Uint8Array(256);
for (const [index, name] of countedTypes.entries()) typeSlots[typeNumbers[name]] = index + 1;

/** Number of a type's label. */
export function typeLabelNumber(type: number): number {
  return typeSlots[type] ?? 0;
}

/** Zone of what no server was asked for. No name: it has no last dot. */
export const droppedZone = 'dropped';

/** A zone, or zones, with their last dots. */
export function zonesLabel(zones: readonly string[]): string {
  return zones.map((zone) => (zone.endsWith('.') ? zone : `${zone}.`)).join(',');
}

/** `dns://:53` for all addresses, `tls://192.0.2.1:853`, `dns://[2001:db8::1]:53`. */
export function serverLabel({ transport, address, port }: ListenSettings): string {
  const bytes = parseIp(address);
  const host = bytes === undefined || bytes.every((byte) => byte === 0) ? '' : formatIp(bytes);
  return `${transport}://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** Seconds: 0.25 ms to 8 s, each twice the one before. */
export const timeBuckets: readonly number[] = Array.from({ length: 16 }, (_, index) => 0.00025 * 2 ** index);
/** Seconds: 0.25 ms to 2.5 s. */
export const slimTimeBuckets: readonly number[] = [0.00025, 0.0025, 0.025, 0.25, 2.5];
/** Seconds: 1 ms to 524 s. */
export const programmingBuckets: readonly number[] = Array.from({ length: 20 }, (_, index) => 0.001 * 2 ** index);
export const sizeBuckets: readonly number[] = [
  0, 100, 200, 300, 400, 511, 1023, 2047, 4095, 8291, 16e3, 32e3, 48e3, 64e3,
];
