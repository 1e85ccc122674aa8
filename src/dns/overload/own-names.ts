import type { Name } from '../wire/names.ts';

/** Bytes before the question of a packet. */
const headerLength = 12;

/**
 * Tells questions that this server answers by itself from those that it may have to ask others about, straight from their
 * packets: the first are answered first.
 */
export class OwnNames {
  /** Wire form in lower case, by length. */
  readonly #zones = new Map<number, Uint8Array[]>();

  /** Names in lower case. */
  constructor(zones: readonly Name[]) {
    for (const zone of zones) {
      const bytes = Buffer.from(zone, 'latin1');
      this.#zones.set(bytes.length, [...(this.#zones.get(bytes.length) ?? []), bytes]);
    }
  }

  /** Whether the packet of `length` bytes at `at` asks within the zones, or for nothing that can be read. */
  has(packet: Uint8Array, at: number, length: number): boolean {
    const end = at + length;
    const nameEnd = endOfName(packet, at + headerLength, end);
    if (nameEnd === 0) return true;
    for (let start = at + headerLength; start < nameEnd; start += (packet[start] ?? 0) + 1) {
      const zones = this.#zones.get(nameEnd - start);
      if (zones?.some((zone) => isSame(zone, packet, start))) return true;
    }
    return false;
  }
}

/** Where the name at `start` ends; 0 when it has no end, or is not written out. */
function endOfName(packet: Uint8Array, start: number, limit: number): number {
  let at = start;
  while (at < limit) {
    const label = packet[at] ?? 0;
    if (label === 0) return at + 1;
    if (label > 63) return 0;
    at += label + 1;
  }
  return 0;
}

function isSame(zone: Uint8Array, packet: Uint8Array, at: number): boolean {
  for (let index = 0; index < zone.length; index += 1) {
    const byte = packet[at + index] ?? 0;
    if (zone[index] !== (byte >= 65 && byte <= 90 ? byte + 32 : byte)) return false;
  }
  return true;
}
