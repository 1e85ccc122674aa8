/**
 * Answers ready to be sent, in memory that threads share. One thread writes (`PrebuiltWriter`), every thread that has a
 * socket reads (`PrebuiltReader`), without locks:
 *
 * ```
 * control    words of their own: epoch, serial, …; then a line of words a reader: how many answers of others it gave
 * owners     one word an owner: its generation. An entry is valid while its owner is at the generation it was made in
 * denials    SOA records by zone and length of the name: 4 bytes of length, then the record
 * slots      open addressing: hash of type and name, offset of the entry
 * popularity how often answers of others were given, by hash
 * entries    appended one behind the other, never changed:
 *              word 0    type; 0 for a denial of the name and of all below it
 *              word 1    owner
 *              word 2    generation
 *              word 3    length of the name | length of the body << 8
 *              word 4    flags | response code << 8
 *              word 5    answers | authority records << 16; of a denial: zone
 *              word 6    additional records | rotating records << 16
 *              word 7    where those start | their size << 16
 *              name (lower case) and body, as bytes
 *            of an answer of others, which is good for some time, also:
 *              word 8    Unix second from which it ages
 *              word 9    whole seconds that it is good for | milliseconds of that second << 12
 *              where the TTLs are in the body, 2 bytes each, behind it
 * ```
 *
 * A slot is written after its entry. When the space is used up everything is forgotten: the epoch turns odd, the slots
 * are cleared, the epoch turns even. Who reads looks at the epoch and at the owner's generation again after it copied the
 * answer, and throws the copy away when one has changed.
 */
export const control = { epoch: 0, serial: 1, readers: 2 } as const;

/** Lines of the processor's cache, so that no two readers write to one: `success` and `denial` are words of theirs. */
export const countLines = 32;
const lineWords = 16;
const controlWords = lineWords * (1 + countLines);

/** Word offset of the counts of a reader. */
export function countOf(reader: number): number {
  return lineWords * (1 + reader);
}

export const maxOwners = 1 << 17;
export const slotCount = 1 << 18;
/** Zones that denials are kept for, and what a SOA record may need. */
export const maxZones = 8;
export const denialSize = 128;
const nameLengths = 256;

export const headWords = 10;
export const lifeBits = 12;
/** Counts of how often answers of others were given, by their hash: two may share one. */
export const popularityCounts = 1 << 14;
export const entryFlags = { authoritative: 1, denial: 2 } as const;

/** Bytes of entries. */
export const clusterSize = 24 << 20;
/** The same for answers of others: more are asked for again. */
export const othersSize = 8 << 20;

/** Byte offsets of the parts; the entries come last. */
export const offsets = placeAll({
  owners: controlWords * 4,
  denials: maxOwners * 4,
  slots: maxZones * nameLengths * denialSize,
  popularity: slotCount * 8,
  entries: popularityCounts * 4,
});

/** Sizes of what is before each part become where it is. */
function placeAll<Name extends string>(sizes: Readonly<Record<Name, number>>): Readonly<Record<Name, number>> {
  let at = 0;
  const entries = Object.entries<number>(sizes).map(([name, size]) => [name, (at += size)] as const);
  // The entries are those of `sizes`.
  return Object.fromEntries(entries) as Record<Name, number>;
}

/** Where the denials of a zone for names of a length are. */
export function denialOffset(zone: number, nameLength: number): number {
  return offsets.denials + (zone * nameLengths + nameLength) * denialSize;
}

/** One byte more of a name's hash: from its last byte to its first, so that the ends of a name have theirs on the way. */
export function hashByte(hash: number, byte: number): number {
  return Math.imul(hash ^ byte, 0x01000193);
}

/** The hash that a slot has: never 0, which is an empty one. */
export function slotHash(nameHash: number, type: number): number {
  const mixed = Math.imul(nameHash ^ (nameHash >>> 15) ^ Math.imul(type, 0x9e3779b1), 0x85ebca6b);
  return (mixed ^ (mixed >>> 13)) | 1;
}

/** A byte of a name in lower case; lengths of labels stay what they are, they are below all letters. */
export function lowerByte(byte: number): number {
  return byte >= 65 && byte <= 90 ? byte | 32 : byte;
}

/** Where the hash of the empty name starts. */
export const hashStart = 0x811c9dc5 | 0;

/** The type that an answer of others is kept under: signatures and unchecked answers are other answers. */
export function othersType(type: number, dnssecOk: boolean, checkingDisabled: boolean): number {
  return type | (dnssecOk ? 0x10000 : 0) | (checkingDisabled ? 0x20000 : 0);
}
