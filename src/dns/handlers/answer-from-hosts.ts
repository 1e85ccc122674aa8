import { readFileSync, statSync } from 'node:fs';
import { canonicalIp, parseIp } from '../../lib/ip.ts';
import { buildReply, recordsOf } from '../reply.ts';
import type { HostsSettings } from '../settings/settings.ts';
import { isWithin, labelsOf, parseKey } from '../wire/names.ts';
import type { Name } from '../wire/names.ts';
import { nameRdata } from '../wire/rdata.ts';
import { rcodes, typeNumbers } from '../wire/types.ts';
import { parseReverse } from '../zone.ts';
import type { HandlerMaker, ServerParts } from './handler.ts';

/** A file is looked at again this often. */
const reloadMs = 5000;

/** Names and addresses in the form of hosts(5). */
interface Hosts {
  readonly addresses: ReadonlyMap<Name, readonly Uint8Array[]>;
  readonly names: ReadonlyMap<string, readonly Name[]>;
}

/** Answers from a hosts file and lines of the settings; names below `*.` too. */
export const answerFromHosts: HandlerMaker = ({ hosts }, parts) => {
  if (hosts === undefined) return undefined;
  const own = hosts.zones.map((zone) => parseKey(zone) ?? '\0');
  const open = hosts.fallthrough.map((zone) => parseKey(zone) ?? '\0');
  const read = reader(hosts, parts);
  return {
    name: 'hosts',
    answer(query) {
      const { key, type, name } = query;
      const current = read();
      const pointers = hosts.reverse && type === typeNumbers.PTR ? pointersOf(current, key) : undefined;
      if (pointers !== undefined) {
        return buildReply(query, { answers: recordsOf(name, type, hosts.ttlSeconds, pointers.map(nameRdata)) });
      }
      if (!own.some((zone) => isWithin(key, zone))) return undefined;
      const found = current.addresses.get(key) ?? current.addresses.get(`\x01*${key.slice(1 + key.charCodeAt(0))}`);
      if (found !== undefined) {
        const width = type === typeNumbers.A ? 4 : type === typeNumbers.AAAA ? 16 : 0;
        const fitting = found.filter((bytes) => bytes.length === width);
        return buildReply(query, { answers: recordsOf(name, type, hosts.ttlSeconds, fitting) });
      }
      return open.some((zone) => isWithin(key, zone)) ? undefined : buildReply(query, { rcode: rcodes.NXDOMAIN });
    },
  };
};

function pointersOf({ names }: Hosts, key: Name): readonly Name[] | undefined {
  if (!key.endsWith('\x04arpa\0')) return undefined;
  const address = parseReverse(labelsOf(key));
  return address === undefined ? undefined : names.get(address);
}

function reader({ file, lines }: HostsSettings, { now, logger }: ServerParts): () => Hosts {
  let lookAtMs = 0;
  let modifiedMs = -1;
  let hosts = parseHosts(lines);
  return () => {
    if (file === undefined || now() < lookAtMs) return hosts;
    lookAtMs = now() + reloadMs;
    try {
      const { mtimeMs } = statSync(file);
      if (mtimeMs !== modifiedMs) hosts = parseHosts([...lines, ...readFileSync(file, 'utf8').split('\n')]);
      modifiedMs = mtimeMs;
    } catch (error) {
      logger.error('a hosts file cannot be read; what it held before is served', { file, error });
    }
    return hosts;
  };
}

/** Lines that are none are passed over, as every resolver does. */
function parseHosts(lines: readonly string[]): Hosts {
  const addresses = new Map<Name, Uint8Array[]>();
  const names = new Map<string, Name[]>();
  const seen = new Set<string>();
  for (const line of lines) {
    const [addressText = '', ...words] = line.replace(/#.*/, '').trim().split(/\s+/);
    // A link-local address may have its link behind it.
    const address = canonicalIp(addressText.replace(/%.*/, ''));
    const bytes = address === undefined ? undefined : parseIp(address);
    if (address === undefined || bytes === undefined) continue;
    for (const word of words) {
      const name = parseKey(word);
      if (name === undefined) continue;
      // A set of records has each once (RFC 2181 5), and a list of blocked names has one address for very many.
      const pair = `${address} ${name}`;
      if (seen.has(pair)) continue;
      seen.add(pair);
      listIn(addresses, name).push(bytes);
      listIn(names, address).push(name);
    }
  }
  return { addresses, names };
}

function listIn<V>(lists: Map<string, V[]>, key: string): V[] {
  const known = lists.get(key);
  if (known !== undefined) return known;
  const made: V[] = [];
  lists.set(key, made);
  return made;
}
