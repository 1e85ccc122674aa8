/** Finding duplicate fields, which `JSON.parse` swallows. */

const quote = '"';
const backslash = 0x5c;
const colon = 0x3a;
const space = 0x20;

/** Where the string that starts at `start` ends: the index of its closing quote. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf(quote, start + 1); end >= 0; end = text.indexOf(quote, end + 1)) {
    let slashes = 0;
    while (text.charCodeAt(end - 1 - slashes) === backslash) slashes++;
    if (slashes % 2 === 0) return end;
  }
  return text.length;
}

/** How many members all objects of a JSON text have, duplicates included. The text must be valid JSON. */
function countMembers(text: string): number {
  let count = 0;
  for (let start = text.indexOf(quote); start >= 0;) {
    let next = endOfString(text, start) + 1;
    while (text.charCodeAt(next) <= space) next++;
    if (text.charCodeAt(next) === colon) count++;
    start = text.indexOf(quote, next);
  }
  return count;
}

/** Without recursion: a hostile body may be nested as deep as it is long. */
function countKept(root: unknown): number {
  let count = 0;
  const pending: unknown[] = [root];
  for (let value = pending.pop(); value !== undefined; value = pending.pop()) {
    if (typeof value !== 'object' || value === null) continue;
    const members: readonly unknown[] = Array.isArray(value) ? value : Object.values(value);
    if (!Array.isArray(value)) count += members.length;
    for (const member of members) if (typeof member === 'object' && member !== null) pending.push(member);
  }
  return count;
}

interface Frame {
  readonly path: string;
  readonly keys: Set<string> | undefined;
  index: number;
  key: string;
}

function childPath(frame: Frame | undefined): string {
  if (frame === undefined) return '';
  if (frame.keys === undefined) return `${frame.path}[${frame.index}]`;
  return frame.path === '' ? frame.key : `${frame.path}.${frame.key}`;
}

function locate(text: string): readonly string[] {
  const found: string[] = [];
  const stack: Frame[] = [];
  for (const match of text.matchAll(/"(?:[^"\\]|\\.)*"(\s*:)?|[{}[\],]/g)) {
    const [token, colon] = match;
    const top = stack.at(-1);
    if (token === '{' || token === '[') {
      stack.push({ path: childPath(top), keys: token === '{' ? new Set() : undefined, index: 0, key: '' });
    } else if (token === '}' || token === ']') stack.pop();
    else if (token === ',') {
      if (top !== undefined) top.index++;
    } else if (colon !== undefined && top?.keys !== undefined) {
      top.key = String(JSON.parse(token.slice(0, -colon.length)));
      if (top.keys.has(top.key)) found.push(childPath(top));
      top.keys.add(top.key);
    }
  }
  return found;
}

/** Paths of fields that occur more than once in one object, given the text and what it parsed to. */
export function duplicateFields(text: string, parsed: unknown): readonly string[] {
  return countMembers(text) === countKept(parsed) ? [] : locate(text);
}
