/**
 * User data: bytes the kernel keeps and the `nft` program reads, so that listings look as if `nft` had written them.
 * Type, length, value records as in libnftnl's udata.h.
 */

const COMMENT = 0;
const SET_KEY_BYTE_ORDER = 0;
const SET_DATA_BYTE_ORDER = 1;
const SET_MERGE_ELEMENTS = 2;

/** Byte order of a set's keys or data, as `nft` needs it for printing numbers; a concatenation has none of its own. */
export type ByteOrder = 'concatenation' | 'host' | 'network';

function record(type: number, value: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([type, value.length]), value]);
}

/** A comment on a table, rule or element: at most 128 bytes with the terminating zero, cut at a character. */
export function commentData(text: string): Buffer {
  let shown = text;
  while (Buffer.byteLength(shown) > 127) shown = shown.slice(0, -1);
  return record(COMMENT, Buffer.from(`${shown}\0`));
}

/** The comment in user data; undefined when there is none. */
export function readComment(data: Buffer = Buffer.alloc(0)): string | undefined {
  for (let at = 0; at + 2 <= data.length; at += 2 + (data[at + 1] ?? 0)) {
    if (data[at] === COMMENT) return data.toString('utf8', at + 2, at + 1 + (data[at + 1] ?? 0));
  }
  return undefined;
}

/** What `nft` keeps with a set: byte orders of key and data (undefined for a set without data). */
export function setUserData(key: ByteOrder, data: ByteOrder | undefined): Buffer {
  const order = (value: ByteOrder) => Buffer.from([['concatenation', 'host', 'network'].indexOf(value), 0, 0, 0]);
  const records = [record(SET_KEY_BYTE_ORDER, order(key))];
  if (data !== undefined) records.push(record(SET_DATA_BYTE_ORDER, order(data)));
  records.push(record(SET_MERGE_ELEMENTS, Buffer.alloc(4)));
  return Buffer.concat(records);
}
