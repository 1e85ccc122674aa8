import { formatRdata } from './presentation.ts';
import type { Records } from './records.ts';
import { formatName, nameKey } from './wire/names.ts';
import type { Name } from './wire/names.ts';
import { typeName } from './wire/types.ts';

/** Longest chain of aliases that is followed. */
const maxAliases = 8;

/**
 * Why a name gets the answer it gets: which handler answers, from which object, and along which aliases. Pure: the records
 * may be those of a server, or made from objects read just now.
 */
export function explain(records: Records, name: Name, type: number): string[] {
  const lines: string[] = [];
  let asked: Name | undefined = name;
  for (let i = 0; asked !== undefined && i < maxAliases; i += 1) asked = explainOne(records, asked, type, lines);
  return lines;
}

/** Explains one name; returns the next of a chain of aliases. */
function explainOne(records: Records, name: Name, type: number, lines: string[]): Name | undefined {
  const found = records.find(nameKey(name));
  const text = formatName(name);
  if (found.kind === 'outside') {
    lines.push(`forward: ${text} is not in a zone of the cluster (${zoneNames(records)}); an upstream server is asked`);
    return undefined;
  }
  if (found.kind === 'missing') {
    lines.push(
      `cluster: ${text} does not exist: ${records.why(nameKey(name))} (NXDOMAIN of zone ${formatName(found.zone.name)})`,
    );
    return undefined;
  }
  const { alias, sets, source, ttl } = found.data;
  if (alias !== undefined) {
    lines.push(`cluster: ${text} comes from ${source}, an alias of ${formatName(alias)}`);
    return alias;
  }
  const rdata = sets.get(type);
  const has = sets.types().map(typeName).join(', ') || 'no records, only names below it';
  if (rdata === undefined) lines.push(`cluster: ${text} exists (${source}) without ${typeName(type)}: it has ${has}`);
  for (const bytes of rdata ?? []) {
    lines.push(
      `cluster: ${text} ${typeName(type)} ${formatRdata({ type, rdata: bytes })} comes from ${source} (TTL ${ttl} s)`,
    );
  }
  return undefined;
}

function zoneNames(records: Records): string {
  return records.zones.map((zone) => formatName(zone.name)).join(' ');
}
