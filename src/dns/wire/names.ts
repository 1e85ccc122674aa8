/**
 * Domain names in wire form as a latin1 string: `\x03www\x07example\x03com\x00`, one character a byte. Such a string is
 * compared, kept as a map key and copied into a packet without any conversion, and no label needs escaping. At most 255
 * characters, labels of at most 63 (RFC 1035 2.3.4).
 */
export type Name = string;

/** Characters of a name (RFC 1035 2.3.4). */
export const longestName = 255;

/** The name of the root. */
const rootName: Name = '\0';

/** The same name with ASCII letters in lower case: the form to compare (RFC 4343). All else stays as it is; also of text. */
export function nameKey(name: Name): Name {
  return /[A-Z]/.test(name) ? name.replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase()) : name;
}

/** Labels of a name from left to right, each a latin1 string; none for the root. */
export function labelsOf(name: Name): string[] {
  const labels: string[] = [];
  let at = 0;
  let length = name.charCodeAt(0);
  while (length > 0) {
    labels.push(name.slice(at + 1, at + 1 + length));
    at += 1 + length;
    length = name.charCodeAt(at);
  }
  return labels;
}

/** Name of labels; undefined when a label is empty or a limit is passed. */
export function nameFromLabels(labels: readonly string[]): Name | undefined {
  let name = '';
  for (const label of labels) {
    if (label.length === 0 || label.length > 63) return undefined;
    name += String.fromCharCode(label.length) + label;
  }
  return name.length > 254 ? undefined : `${name}\0`;
}

/** Whether `name` is `zone` or below it. Both must be lower case. */
export function isWithin(name: Name, zone: Name): boolean {
  if (!name.endsWith(zone)) return false;
  const start = name.length - zone.length;
  let at = 0;
  while (at < start) at += name.charCodeAt(at) + 1;
  return at === start;
}

/**
 * Notes where the labels of a name before a zone start, and returns how many there are; -1 when the name is not within the
 * zone. Both must be lower case; `starts` holds at least 127 numbers.
 */
export function labelsBefore(name: Name, zone: Name, starts: Uint8Array): number {
  if (!name.endsWith(zone)) return -1;
  const end = name.length - zone.length;
  let count = 0;
  let at = 0;
  while (at < end) {
    starts[count] = at;
    count += 1;
    at += name.charCodeAt(at) + 1;
  }
  return at === end ? count : -1;
}

/** The name without its first label; undefined for the root. */
export function parentOf(name: Name): Name | undefined {
  const length = name.charCodeAt(0);
  return length === 0 ? undefined : name.slice(1 + length);
}

/**
 * Reads presentation format: `www.example.com`, with or without the final dot, `\.` and `\DDD` escapes (RFC 1035 5.1).
 * Characters above U+007F are taken as UTF-8 bytes. Undefined when it is no name.
 */
export function parseName(text: string): Name | undefined {
  if (text === '.') return rootName;
  const labels: string[] = [''];
  const bytes = Buffer.from(text, 'utf8').toString('latin1');
  for (let i = 0; i < bytes.length; i += 1) {
    const char = bytes[i] ?? '';
    if (char === '.') {
      labels.push('');
      continue;
    }
    const escaped = char === '\\' ? readEscape(bytes, i + 1) : { char, length: 0 };
    if (escaped === undefined) return undefined;
    i += escaped.length;
    labels[labels.length - 1] += escaped.char;
  }
  if (labels.at(-1) === '') labels.pop();
  return labels.length === 0 ? undefined : nameFromLabels(labels);
}

/** Reads presentation format into the form to compare: what `Ä` is written for is another name than what `ä` is. */
export function parseKey(text: string): Name | undefined {
  const name = parseName(text);
  return name === undefined ? undefined : nameKey(name);
}

function readEscape(text: string, at: number): { char: string; length: number } | undefined {
  const digits = /^\d{3}/.exec(text.slice(at, at + 3))?.[0];
  if (digits !== undefined) {
    return Number(digits) > 255 ? undefined : { char: String.fromCharCode(Number(digits)), length: 3 };
  }
  const char = text[at];
  return char === undefined || /\d/.test(char) ? undefined : { char, length: 1 };
}

/** Text of a name, or of a piece of one, as `formatName` writes it as far as it is not ASCII. */
export function escapeText(text: string): string {
  return Buffer.from(text, 'utf8')
    .toString('latin1')
    .replaceAll(/[^\0-~]/g, escapeChar);
}

/** Presentation format with the final dot. Bytes that are not printable ASCII come out as `\DDD`. */
export function formatName(name: Name): string {
  if (name === rootName) return '.';
  return labelsOf(name)
    .map((label) => `${label.replaceAll(/[^!-~]|[.\\"();@$]/g, escapeChar)}.`)
    .join('');
}

function escapeChar(char: string): string {
  return /[!-~]/.test(char) ? `\\${char}` : `\\${String(char.charCodeAt(0)).padStart(3, '0')}`;
}

/** Where a name read from a packet ends, and the name. */
export interface ReadName {
  readonly name: Name;
  /** Offset behind the name in the packet: behind its pointer, if it has one. */
  readonly end: number;
}

/** As many labels as a name can have: more pointers than that lead nowhere, and only take time. */
const mostPointers = 127;

/**
 * Reads a name at `offset`, following compression pointers. Pointers must lead backwards, so that reading always ends;
 * label types other than plain ones are refused. Undefined when it is malformed or leaves the packet.
 */
export function readName(packet: Buffer, offset: number): ReadName | undefined {
  let name = '';
  let start = offset;
  let end = -1;
  for (let pointers = 0; pointers <= mostPointers; pointers += 1) {
    const at = endOfLabels(packet, start);
    const length = packet[at];
    if (length === undefined) return undefined;
    if (length === 0) {
      name += packet.toString('latin1', start, at + 1);
      return name.length > 255 ? undefined : { name, end: end < 0 ? at + 1 : end };
    }
    const low = packet[at + 1];
    if (length < 192 || low === undefined) return undefined;
    const target = ((length & 63) << 8) | low;
    // Backwards from where this piece began: so no byte is read twice, and reading ends.
    if (target >= start) return undefined;
    name += packet.toString('latin1', start, at);
    if (name.length > 254) return undefined;
    if (end < 0) end = at + 2;
    start = target;
  }
  return undefined;
}

/** Offset of the byte behind the plain labels from `at` on: a zero, a pointer, or past the end. */
function endOfLabels(packet: Buffer, at: number): number {
  let end = at;
  for (;;) {
    const length = packet[end] ?? 0;
    if (length === 0 || length > 63) return end;
    end += 1 + length;
  }
}
