import { recordSets } from './name-data.ts';
import type { NameData } from './name-data.ts';
import { addressRecords, addressSets } from './service-names.ts';
import type { Zone } from './zone.ts';
import type { ResourceRecord } from './wire/message.ts';
import type { Name } from './wire/names.ts';
import { nameRdata, soaRdata, stringsRdata } from './wire/rdata.ts';
import { classIn, typeNumbers } from './wire/types.ts';

/** Version of the schema of kubernetes/dns that the cluster's records follow (R1). */
export const clusterVersion = '1.1.0';
/** The same for the zones of a cluster set (KEP-1645, specification 2.2). */
export const multiclusterVersion = '1.0.0';
const schemaTtlSeconds = 28_800;

/** What the zones say about themselves. */
export interface ApexConfig {
  readonly clusterZone: Name;
  readonly ttl: number;
  /** Addresses of this server as Pods see them: what `ns.dns.<zone>` answers. */
  readonly serverAddresses: readonly string[];
}

/** Name of the server in SOA and NS records. */
function serverName(clusterZone: Name): Name {
  return `\x02ns\x03dns${clusterZone}`;
}

/** The SOA record of a zone; `serial` is the Unix time of the last change, in seconds. */
export function soaOf(zone: Zone, config: ApexConfig, serial: number): ResourceRecord {
  const numbers = { serial, refresh: 7200, retry: 1800, expire: 86_400, minimum: config.ttl };
  const rdata = soaRdata(serverName(config.clusterZone), `\x0ahostmaster${config.clusterZone}`, numbers);
  return { name: zone.name, type: typeNumbers.SOA, class: classIn, ttl: Math.min(config.ttl, 300), rdata };
}

/** SOA and NS at the top of a zone. */
export function apexData(zone: Zone, config: ApexConfig, serial: number): NameData {
  const server = serverName(config.clusterZone);
  return {
    source: 'zone apex',
    ttl: config.ttl,
    sets: recordSets({
      [typeNumbers.SOA]: () => [soaOf(zone, config, serial).rdata],
      [typeNumbers.NS]: () => [nameRdata(server)],
    }),
    glue: () => serverRecords(config),
  };
}

/** Address records of the server itself. */
export function serverData({ serverAddresses, ttl }: ApexConfig): NameData {
  return { source: 'this server', ttl, sets: recordSets(addressSets(() => serverAddresses)) };
}

function serverRecords({ clusterZone, serverAddresses, ttl }: ApexConfig): ResourceRecord[] {
  return serverAddresses.flatMap((address) => addressRecords(serverName(clusterZone), address, ttl));
}

/** R1: the version of the schema. */
export function versionData(version: string): NameData {
  return {
    source: 'dns-version',
    ttl: schemaTtlSeconds,
    sets: recordSets({ [typeNumbers.TXT]: () => [stringsRdata([version])] }),
  };
}
