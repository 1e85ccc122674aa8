import { closeSync } from 'node:fs';
import { isErrno } from '../errno.ts';
import { bpf, BpfAttributes, bpfCall, bpfInfo } from './syscall.ts';
import type { MapDefinition } from './elf.ts';

/** Entries of a batch: bounds the memory of one call, and the time in which a processor does nothing else. */
const batchEntries = 4096;
const batchAttributes = 56;

/** An open map. Keys and values are bytes as the programs see them; those of a per-processor map are all processors'. */
export class BpfMap implements Disposable {
  readonly fd: number;
  readonly definition: MapDefinition;
  /** Bytes of a value in calls. */
  readonly valueBytes: number;

  constructor(fd: number, definition: MapDefinition, processors = 1) {
    this.fd = fd;
    this.definition = definition;
    this.valueBytes = processors === 1 ? definition.valueSize : Math.ceil(definition.valueSize / 8) * 8 * processors;
  }

  /** Undefined when there is no such key. */
  lookup(key: Buffer): Buffer | undefined {
    const value = Buffer.alloc(this.valueBytes);
    try {
      bpfCall('lookup', 32, { 0: this.fd, 8: key, 16: value });
      return value;
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return undefined;
      throw error;
    }
  }

  /** Writes entries, new or not. Each one is written in one step. Throws `SystemError` (E2BIG when the map is full). */
  update(entries: readonly (readonly [key: Buffer, value: Buffer])[]): void {
    const [only] = entries;
    if (only !== undefined && entries.length === 1) {
      bpfCall('update', 32, { 0: this.fd, 8: only[0], 16: only[1] });
      return;
    }
    for (let at = 0; at < entries.length; at += batchEntries) {
      const some = entries.slice(at, at + batchEntries);
      const keys = Buffer.concat(some.map(([key]) => key));
      const values = Buffer.concat(some.map(([, value]) => value));
      bpfCall('updateBatch', batchAttributes, { 16: keys, 24: values, 32: some.length, 36: this.fd });
    }
  }

  /** Takes entries out; those that are not there are no error. */
  delete(keys: readonly Buffer[]): void {
    for (let at = 0; at < keys.length; at += batchEntries) this.#deleteSome(keys.slice(at, at + batchEntries));
  }

  /** Every entry, each once as long as nobody writes meanwhile. */
  entries(): [key: Buffer, value: Buffer][] {
    const found: [Buffer, Buffer][] = [];
    this.each((key, value) => found.push([Buffer.from(key), Buffer.from(value)]));
    return found;
  }

  /** Calls `visit` for every entry; the bytes are valid only inside the call. */
  each(visit: (key: Buffer, value: Buffer) => void): void {
    const { keySize } = this.definition;
    const cursor = Buffer.alloc(Math.max(8, keySize));
    let room = batchEntries;
    for (let isFirst = true, isLast = false; !isLast;) {
      const [keys, values] = [Buffer.allocUnsafe(room * keySize), Buffer.allocUnsafe(room * this.valueBytes)];
      const batch = this.#lookupBatch(cursor, isFirst, { keys, values, room });
      if (batch === 'more room') {
        room *= 2;
        continue;
      }
      for (let at = 0; at < batch.count; at += 1) {
        const value = values.subarray(at * this.valueBytes, (at + 1) * this.valueBytes);
        visit(keys.subarray(at * keySize, (at + 1) * keySize), value);
      }
      isFirst = false;
      isLast = batch.isLast;
    }
  }

  [Symbol.dispose](): void {
    closeSync(this.fd);
  }

  /** The kernel stops at a key that is not there and says how far it came. */
  #deleteSome(keys: readonly Buffer[]): void {
    let at = 0;
    while (at < keys.length) {
      const rest = Buffer.concat(keys.slice(at));
      const attributes = new BpfAttributes(batchAttributes, { 16: rest, 32: keys.length - at, 36: this.fd });
      try {
        bpf('deleteBatch', attributes);
        return;
      } catch (error) {
        if (!isErrno(error, 'ENOENT')) throw error;
        at += attributes.bytes.readUInt32LE(32) + 1;
      }
    }
  }

  /** Entries from the cursor on, which moves behind them: how many, and whether they are the last. */
  #lookupBatch(
    cursor: Buffer,
    isFirst: boolean,
    { keys, values, room }: { readonly keys: Buffer; readonly values: Buffer; readonly room: number },
  ): { readonly count: number; readonly isLast: boolean } | 'more room' {
    const fields = { 0: isFirst ? 0n : cursor, 8: cursor, 16: keys, 24: values, 32: room, 36: this.fd };
    const attributes = new BpfAttributes(batchAttributes, fields);
    let isLast = false;
    try {
      bpf('lookupBatch', attributes);
    } catch (error) {
      if (isErrno(error, 'ENOSPC')) return 'more room';
      if (!isErrno(error, 'ENOENT')) throw error;
      isLast = true;
    }
    return { count: attributes.bytes.readUInt32LE(32), isLast };
  }
}

/** Makes a map of `definition`'s size. The name is what `bpftool map` shows. */
export function createMap(definition: MapDefinition, processors: number): BpfMap {
  const { name, type, keySize, valueSize, maxEntries, flags } = definition;
  const attributes = new BpfAttributes(72, { 0: type, 4: keySize, 8: valueSize, 12: maxEntries, 16: flags });
  attributes.bytes.write(name.slice(0, 15), 28, 'latin1');
  return new BpfMap(bpf('createMap', attributes), definition, isPerProcessor(type) ? processors : 1);
}

/** Makes a map of an open descriptor. Returns undefined when it is not of the definition's kind, whatever its size. */
export function adoptMap(fd: number, definition: MapDefinition, processors: number): BpfMap | undefined {
  const [type = 0, , keySize = 0, valueSize = 0, maxEntries = 0, flags = 0] = readWords(bpfInfo(fd, 24));
  const isSame =
    type === definition.type &&
    keySize === definition.keySize &&
    valueSize === definition.valueSize &&
    flags === definition.flags;
  return isSame ? new BpfMap(fd, { ...definition, maxEntries }, isPerProcessor(type) ? processors : 1) : undefined;
}

function isPerProcessor(type: number): boolean {
  const [BPF_MAP_TYPE_PERCPU_HASH, BPF_MAP_TYPE_PERCPU_ARRAY] = [5, 6];
  return type === BPF_MAP_TYPE_PERCPU_HASH || type === BPF_MAP_TYPE_PERCPU_ARRAY;
}

function readWords(bytes: Buffer): number[] {
  return Array.from({ length: bytes.length / 4 }, (_, index) => bytes.readUInt32LE(index * 4));
}
