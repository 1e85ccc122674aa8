import type { ClusterParts, ServerParts } from '../handlers/handler.ts';
import type { ResourceRecord } from '../wire/message.ts';
import type { Name } from '../wire/names.ts';
import type { ServedFile } from '../zone-file/served-file.ts';

/** A zone that can be given away as a whole. */
export interface TransferZone {
  /** Lower case. */
  readonly name: Name;
  /** The zone as it is now; undefined while it is not known completely. */
  readonly current: () => CurrentZone | undefined;
}

/** A zone of one serial. */
export interface CurrentZone {
  readonly soa: ResourceRecord;
  /** The other records. To be called at once; what it gives may be read at any time. */
  readonly records: () => Iterable<ResourceRecord>;
}

/** The zones of a server: those of its files, its outside names and its cluster. */
export function transferZones({ files, external, cluster }: ServerParts): readonly TransferZone[] {
  return [...files.map(zoneOfFile), ...zonesOfNames(external), ...zonesOfNames(cluster)];
}

function zoneOfFile(file: ServedFile): TransferZone {
  return {
    name: file.origin,
    current() {
      const zone = file.current();
      return { soa: zone.soa, records: () => zone.records().drop(1) };
    },
  };
}

function zonesOfNames(parts: ClusterParts | undefined): TransferZone[] {
  if (parts === undefined) return [];
  const { records, knowledge } = parts;
  return records.zones.map((zone) => ({
    name: zone.name,
    current() {
      if (knowledge() !== 'synced') return undefined;
      return { soa: records.soa(zone), records: () => records.listed(zone) };
    },
  }));
}
