import type { Transport } from './client.ts';
import { droppedZone, serverLabel, zonesLabel } from './coredns-names.ts';
import type { QueryCounts } from './metrics.ts';
import type { QueryTally } from './query-tally.ts';
import type { ServedZone } from './servers.ts';
import type { ListenSettings } from './settings/settings.ts';
import { formatName } from './wire/names.ts';

/** The tallies of one listener, by zone, view and protocol; those of servers that are gone stay for servers like them. */
export class ListenerTallies implements Disposable {
  readonly #where: ListenSettings;
  readonly #counts: QueryCounts;
  readonly #byLabels = new Map<string, QueryTally>();
  readonly #byZone = new WeakMap<ServedZone, Partial<Record<'udp' | 'tcp', QueryTally>>>();
  readonly #opened: QueryTally[] = [];

  constructor(where: ListenSettings, counts: QueryCounts) {
    this.#where = where;
    this.#counts = counts;
  }

  /** For a question in a zone; undefined when it is in none. */
  of(zone: ServedZone | undefined, transport: Transport): QueryTally {
    const proto = transport === 'udp' ? 'udp' : 'tcp';
    if (zone === undefined) return this.shared(droppedZone, '', proto);
    const known = this.#byZone.get(zone) ?? {};
    this.#byZone.set(zone, known);
    return (known[proto] ??= this.shared(zonesLabel([formatName(zone.zone)]), zone.server.view, proto));
  }

  /** The one of this thread for such questions. */
  shared(zone: string, view: string, proto: 'udp' | 'tcp'): QueryTally {
    const key = `${proto} ${zone} ${view}`;
    const tally = this.#byLabels.get(key) ?? this.open(zone, view, proto);
    this.#byLabels.set(key, tally);
    return tally;
  }

  /** Another one for them, for another thread. */
  open(zone: string, view: string, proto: 'udp' | 'tcp'): QueryTally {
    const family = this.#where.address.includes(':') ? '2' : '1';
    const tally = this.#counts.open({ server: serverLabel(this.#where), zone, view, proto, family });
    this.#opened.push(tally);
    return tally;
  }

  [Symbol.dispose](): void {
    for (const tally of this.#opened) this.#counts.close(tally);
  }
}
