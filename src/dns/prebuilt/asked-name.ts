import { hashByte, hashStart, lowerByte } from './layout.ts';

const longestName = 255;

/** The name that a packet asks for, read into memory of its own: one object for all packets. */
export class AskedName {
  /** In lower case. */
  readonly bytes = new Uint8Array(longestName + 1);
  /** Where labels start, and the hashes of the ends that start there. */
  readonly starts = new Int32Array(128);
  readonly hashes = new Int32Array(128);
  labels = 0;
  length = 0;

  /** Reads the name at `at`, which ends before `limit`; returns where its end is, 0 when it is not plain. */
  read(packet: Uint8Array, at: number, limit: number): number {
    let end = at;
    let labels = 0;
    for (;;) {
      const size = packet[end] ?? 0;
      if (size > 63 || labels >= 127) return 0;
      this.starts[labels] = end - at;
      end += 1 + size;
      if (end > limit) return 0;
      if (size === 0) break;
      labels += 1;
    }
    if (end - at > longestName) return 0;
    this.labels = labels;
    this.length = end - at;
    this.#hash(packet, at);
    return end;
  }

  #hash(packet: Uint8Array, at: number): void {
    let hash = hashStart;
    let index = this.length - 1;
    for (let label = this.labels; label >= 0; label -= 1) {
      const start = this.starts[label] ?? 0;
      for (; index >= start; index -= 1) {
        const byte = lowerByte(packet[at + index] ?? 0);
        this.bytes[index] = byte;
        hash = hashByte(hash, byte);
      }
      this.hashes[label] = hash;
    }
  }
}
