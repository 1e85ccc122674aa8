import { namesOnTheWay } from './handlers/complete-search.ts';
import { whyHidden } from './handlers/hide-namespaces.ts';
import { zoneTest } from './handlers/answer-from-cluster.ts';
import { formatRdata } from './presentation.ts';
import type { Found, Names } from './records.ts';
import type { ServerSettings } from './settings/settings.ts';
import { formatName, nameKey } from './wire/names.ts';
import type { Name } from './wire/names.ts';
import { typeName, typeNumbers } from './wire/types.ts';

/** Longest chain of aliases that is followed. */
const maxAliases = 8;

/** What answers are made from, as far as it is known. */
export interface Explained {
  readonly records: Names;
  readonly external?: Names;
  readonly settings?: Pick<ServerSettings, 'visibility' | 'cluster' | 'external' | 'autopath' | 'aaaa'>;
  /** Whether anything in the cluster has an IPv6 address. */
  readonly hasIpv6?: boolean;
  /** Namespace of the Pod that asks; undefined for somebody who is not known. */
  readonly asker?: string;
}

/**
 * Why a name gets the answer it gets: which handler answers, from which object, and along which aliases. Pure: the records
 * may be those of a server, or made from objects read just now.
 */
export function explain(explained: Explained, name: Name, type: number): string[] {
  const lines: string[] = [];
  let asked: Name | undefined = name;
  for (let i = 0; asked !== undefined && i < maxAliases; i += 1) asked = explainOne(explained, asked, type, lines);
  return lines;
}

/** Explains one name; returns the next of a chain of aliases. */
function explainOne(explained: Explained, name: Name, type: number, lines: string[]): Name | undefined {
  const { records, external, settings, asker } = explained;
  const [key, text] = [nameKey(name), formatName(name)];
  const hidden = settings && whyHidden(settings, key, asker);
  if (hidden !== undefined) {
    lines.push(`visibility: ${text} does not exist for who asks: ${hidden} (NXDOMAIN)`);
    return undefined;
  }
  for (const [handler, names] of [['external', external] as const, ['cluster', records] as const]) {
    const found = names?.find(key) ?? outside;
    if (found.kind === 'data') return explainData(handler, name, type, found.data, lines);
    if (found.kind === 'outside' || names === undefined) continue;
    const isLeft = zoneTest(settings?.[handler]?.fallthrough ?? [])(key);
    const rest = isLeft ? 'left to the next handler by fallthrough' : `NXDOMAIN of zone ${formatName(found.zone.name)}`;
    lines.push(`${handler}: ${text} does not exist: ${names.why(key)} (${rest})`);
    if (isLeft) continue;
    return explainSearch(explained, key, lines);
  }
  lines.push(explainOutside(explained, text, type));
  return undefined;
}

const outside: Found = { kind: 'outside' };

function explainData(
  handler: string,
  name: Name,
  type: number,
  { alias, sets, source, ttl }: Extract<Found, { kind: 'data' }>['data'],
  lines: string[],
): Name | undefined {
  const text = formatName(name);
  if (alias !== undefined) {
    lines.push(`${handler}: ${text} comes from ${source}, an alias of ${formatName(alias)}`);
    return alias;
  }
  const rdata = sets.get(type);
  const has = sets.types().map(typeName).join(', ') || 'no records, only names below it';
  if (rdata === undefined)
    lines.push(`${handler}: ${text} exists (${source}) without ${typeName(type)}: it has ${has}`);
  for (const bytes of rdata ?? []) {
    const data = formatRdata({ type, rdata: bytes });
    lines.push(`${handler}: ${text} ${typeName(type)} ${data} comes from ${source} (TTL ${ttl} s)`);
  }
  return undefined;
}

function explainOutside(
  { records, external, settings, hasIpv6 = true }: Explained,
  text: string,
  type: number,
): string {
  const isDenied = settings?.aaaa === 'none' || (settings?.aaaa === 'auto' && !hasIpv6);
  if (type === typeNumbers.AAAA && isDenied) {
    const why = settings?.aaaa === 'none' ? 'the settings say so' : 'nothing in the cluster has an IPv6 address';
    return `ipv6: ${text} is answered without AAAA and without asking others: ${why}`;
  }
  const zones = [...records.zones, ...(external?.zones ?? [])].map((zone) => formatName(zone.name)).join(' ');
  return `forward: ${text} is not in a zone of the cluster (${zones}); an upstream server is asked`;
}

/** What becomes of the first name of a search list that does not exist. */
function explainSearch({ settings, asker }: Explained, key: Name, lines: string[]): undefined {
  const names = settings && asker !== undefined ? namesOnTheWay(settings, key, asker) : [];
  if (names.length === 0) return;
  const way = names.map(formatName).join(' ');
  lines.push(`autopath: a Pod of Namespace ${asker} is answered with the first of these that has addresses: ${way}`);
}
