import { libc } from '../libc.ts';

/** Commands of bpf(2) (`enum bpf_cmd`, linux/bpf.h). */
const bpfCommand = {
  createMap: 0,
  lookup: 1,
  update: 2,
  delete: 3,
  loadProgram: 5,
  pin: 6,
  openPinned: 7,
  info: 15,
  lookupBatch: 24,
  updateBatch: 26,
  deleteBatch: 27,
  createLink: 28,
  updateLink: 29,
  detachLink: 34,
} as const;

/** A value of `union bpf_attr`: a number, or what its pointer points to. */
type Field = number | bigint | Uint8Array;

/** `union bpf_attr`: fields by byte offset, numbers of 4 bytes, pointers and bigints of 8. */
export class BpfAttributes {
  readonly bytes: Buffer;
  /** Kept, because the kernel uses the memory behind their addresses. */
  readonly #pointed: Uint8Array[] = [];

  constructor(size: number, fields: Readonly<Record<number, Field>>) {
    this.bytes = Buffer.alloc(size);
    for (const [offset, field] of Object.entries(fields)) this.set(Number(offset), field);
  }

  set(offset: number, field: Field): void {
    if (typeof field === 'number') this.bytes.writeUInt32LE(field, offset);
    else if (typeof field === 'bigint') this.bytes.writeBigUInt64LE(field, offset);
    else {
      this.#pointed.push(field);
      this.bytes.writeBigUInt64LE(libc().addressOf(field), offset);
    }
  }

  /** After the last call: a use of the memory that no engine may move before it. */
  release(): void {
    this.#pointed.length = 0;
  }
}

/** bpf(2): the kernel may write into `attributes`. Returns a descriptor or 0; throws `SystemError`. */
export function bpf(command: keyof typeof bpfCommand, attributes: BpfAttributes): number {
  try {
    return libc().bpf(bpfCommand[command], attributes.bytes, `bpf ${command}`);
  } finally {
    attributes.release();
  }
}

/** `bpf` for calls into whose attributes the kernel writes nothing. */
export function bpfCall(
  command: keyof typeof bpfCommand,
  size: number,
  fields: Readonly<Record<number, Field>>,
): number {
  return bpf(command, new BpfAttributes(size, fields));
}

/** What the kernel tells about a map, program or link: `size` bytes of its info struct. */
export function bpfInfo(fd: number, size: number): Buffer {
  const info = Buffer.alloc(size);
  bpfCall('info', 16, { 0: fd, 4: size, 8: info });
  return info;
}
