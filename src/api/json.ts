/** Finding duplicate fields, which `JSON.parse` swallows. */

const stringToken = /"(?:[^"\\]|\\.)*"(\s*:)?/g;

/** How many members all objects of a JSON text have, duplicates included. The text must be valid JSON. */
function countMembers(text: string): number {
  let count = 0;
  for (const match of text.matchAll(stringToken)) if (match[1] !== undefined) count++;
  return count;
}

function countKept(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  if (Array.isArray(value)) return value.reduce<number>((sum, each) => sum + countKept(each), 0);
  const values = Object.values(value);
  return values.reduce<number>((sum, each) => sum + countKept(each), values.length);
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
