import type { VirtualServerId } from '../../linux/ipvs/servers.ts';
import { rangeMarks, relayAddresses, type Side } from './schema.ts';

/** One number in use: a port of a relay address, or the mark of a range. */
interface PooledNumber {
  readonly pool: string;
  readonly number: number;
}

const ports = { first: 1, last: 65_535 } as const;

/**
 * The numbers under which virtual servers are found that no address tells: which are in use. A number is free again when
 * the kernel has nothing under it any more.
 */
export class Numbers {
  readonly #used = new Map<string, Set<number>>();

  clear(): void {
    this.#used.clear();
  }

  /** The port of a relay address: `wanted` when it is free, else the lowest that is; undefined when all are in use. */
  takePort(family: 'IPv4' | 'IPv6', side: Side, protocol: number, wanted: number): number | undefined {
    const pool = portPool(family, side, protocol);
    return this.#take(pool, this.#pool(pool).has(wanted) ? ports.first : wanted, ports.last);
  }

  takeMark(family: 'IPv4' | 'IPv6'): number | undefined {
    return this.#take(markPool(family), rangeMarks.first, rangeMarks.last);
  }

  /** Takes note of a virtual server that is there. */
  keep(id: VirtualServerId): void {
    const found = numberOf(id);
    if (found !== undefined) this.#pool(found.pool).add(found.number);
  }

  /** Takes note of a virtual server that is gone. */
  release(id: VirtualServerId): void {
    const found = numberOf(id);
    if (found !== undefined) this.#pool(found.pool).delete(found.number);
  }

  #take(pool: string, first: number, last: number): number | undefined {
    const used = this.#pool(pool);
    let number = first;
    while (used.has(number)) number += 1;
    if (number > last) return undefined;
    used.add(number);
    return number;
  }

  #pool(name: string): Set<number> {
    const used = this.#used.get(name) ?? new Set();
    this.#used.set(name, used);
    return used;
  }
}

/** Whether a virtual server has a number of ours. */
export function isNumberedServer(id: VirtualServerId): boolean {
  return numberOf(id) !== undefined;
}

function numberOf(id: VirtualServerId): PooledNumber | undefined {
  if ('mark' in id) {
    const isOurs = id.mark >= rangeMarks.first && id.mark <= rangeMarks.last;
    return isOurs ? { pool: markPool(id.family), number: id.mark } : undefined;
  }
  const relays = relayAddresses[id.family];
  const side = id.address === relays.inside ? 'inside' : id.address === relays.outside ? 'outside' : undefined;
  return side && { pool: portPool(id.family, side, id.protocol), number: id.port };
}

function portPool(family: string, side: Side, protocol: number): string {
  return `${family} ${side} ${protocol}`;
}

function markPool(family: string): string {
  return `${family} marks`;
}
