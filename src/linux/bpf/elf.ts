/** What clang makes of a `.bpf.c` file: maps, programs, license. Reading it is pure. */

/** A map as the C source defines it (`MAP` in `socket.bpf.c`). */
export interface MapDefinition {
  readonly name: string;
  /** `enum bpf_map_type` (linux/bpf.h). */
  readonly type: number;
  readonly keySize: number;
  readonly valueSize: number;
  /** 0 leaves the size to the loader. */
  readonly maxEntries: number;
  readonly flags: number;
}

/** One program, before the maps it uses are put in. */
export interface ObjectProgram {
  /** Of its section: `connect4` for `cgroup/connect4`. */
  readonly name: string;
  readonly instructions: Buffer;
  /** Byte offsets of the instructions that load a map's address. */
  readonly uses: readonly { readonly offset: number; readonly map: string }[];
}

export interface BpfObject {
  readonly license: string;
  readonly maps: readonly MapDefinition[];
  readonly programs: readonly ObjectProgram[];
}

interface Section {
  readonly name: string;
  readonly type: number;
  readonly bytes: Buffer;
  /** For relocations: the section they apply to. */
  readonly info: number;
}

interface Symbol {
  readonly name: string;
  readonly section: number;
  readonly value: number;
}

/** ELF for the kernel's virtual machine: 64 bits, little-endian, EM_BPF. */
const magic = Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1]);
const EM_BPF = 247;
const SHT_SYMTAB = 2;
const SHT_REL = 9;
const R_BPF_64_64 = 1;
const mapBytes = 20;
const programPrefix = 'cgroup/';

/** Reads an object file. Throws an Error when it is none, or has what this reader does not know. */
export function readBpfObject(file: Buffer): BpfObject {
  if (!file.subarray(0, magic.length).equals(magic) || file.readUInt16LE(18) !== EM_BPF) {
    throw new Error('this is no little-endian BPF object file');
  }
  const sections = readSections(file);
  const symbols = readSymbols(sections);
  const license = sections.find(({ name }) => name === 'license')?.bytes;
  return {
    license: license === undefined ? '' : textAt(license, 0),
    maps: readMaps(sections, symbols),
    programs: sections.flatMap((section, index) =>
      section.name.startsWith(programPrefix) ? [readProgram(sections, symbols, index)] : [],
    ),
  };
}

function readSections(file: Buffer): Section[] {
  const table = Number(file.readBigUInt64LE(40));
  const [size, count, namesAt] = [file.readUInt16LE(58), file.readUInt16LE(60), file.readUInt16LE(62)];
  const header = (index: number) => file.subarray(table + index * size, table + (index + 1) * size);
  const bytesOf = (at: Buffer) => {
    const offset = Number(at.readBigUInt64LE(24));
    return file.subarray(offset, offset + Number(at.readBigUInt64LE(32)));
  };
  const names = bytesOf(header(namesAt));
  return Array.from({ length: count }, (_, index) => {
    const at = header(index);
    return {
      name: textAt(names, at.readUInt32LE(0)),
      type: at.readUInt32LE(4),
      bytes: bytesOf(at),
      info: at.readUInt32LE(44),
    };
  });
}

function readSymbols(sections: readonly Section[]): Symbol[] {
  const table = sections.find(({ type }) => type === SHT_SYMTAB)?.bytes ?? Buffer.alloc(0);
  const names = sections.find(({ name }) => name === '.strtab')?.bytes ?? Buffer.alloc(0);
  return Array.from({ length: table.length / 24 }, (_, index) => ({
    name: textAt(names, table.readUInt32LE(index * 24)),
    section: table.readUInt16LE(index * 24 + 6),
    value: Number(table.readBigUInt64LE(index * 24 + 8)),
  }));
}

/** `struct map` of the source: type, key size, value size, entries, flags. */
function readMaps(sections: readonly Section[], symbols: readonly Symbol[]): MapDefinition[] {
  const at = sections.findIndex(({ name }) => name === 'maps');
  const bytes = sections[at]?.bytes ?? Buffer.alloc(0);
  return Array.from({ length: bytes.length / mapBytes }, (_, index) => {
    const start = index * mapBytes;
    const name = symbols.find(({ section, value }) => section === at && value === start)?.name;
    if (name === undefined) throw new Error(`the map at ${start} has no name`);
    const [type = 0, keySize = 0, valueSize = 0, maxEntries = 0, flags = 0] = [0, 4, 8, 12, 16].map((field) =>
      bytes.readUInt32LE(start + field),
    );
    return { name, type, keySize, valueSize, maxEntries, flags };
  });
}

function readProgram(sections: readonly Section[], symbols: readonly Symbol[], index: number): ObjectProgram {
  const section = sections[index];
  if (section === undefined) throw new RangeError(`there is no section ${index}`);
  const maps = sections.findIndex(({ name }) => name === 'maps');
  const relocations = sections.filter(({ type, info }) => type === SHT_REL && info === index);
  const uses = relocations.flatMap(({ bytes }) =>
    Array.from({ length: bytes.length / 16 }, (_, at) => {
      const info = bytes.readBigUInt64LE(at * 16 + 8);
      const symbol = symbols[Number(info >> 32n)];
      if ((info & 0xffff_ffffn) !== BigInt(R_BPF_64_64) || symbol?.section !== maps) {
        throw new Error(`${section.name} refers to ${symbol?.name ?? 'nothing'}, which is not a map`);
      }
      return { offset: Number(bytes.readBigUInt64LE(at * 16)), map: symbol.name };
    }),
  );
  return { name: section.name.slice(programPrefix.length), instructions: section.bytes, uses };
}

function textAt(bytes: Buffer, start: number): string {
  return bytes.toString('latin1', start, bytes.indexOf(0, start));
}
