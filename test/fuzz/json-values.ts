import type { Field, FieldType, Message, ScalarName } from '../../src/api/schema.ts';
import type { Random } from './random.ts';

type JsonObject = Readonly<Record<string, unknown>>;

const texts = [
  'a',
  'b',
  'http',
  'shop',
  'TCP',
  'UDP',
  'ClusterIP',
  'NodePort',
  'None',
  '10.96.0.9',
  '10.244.0.7',
  '2001:db8::1',
  '10.0.0.0/8',
  '80',
  'n-1',
  'nginx:1',
  'Always',
  'example.com/x',
  '',
];
const times = [
  '2026-01-02T03:04:05Z',
  '2026-01-02T03:04:05.678901+02:00',
  '0000-01-01T00:00:00+23:59',
  '9999-12-31T23:59:60-23:59',
];
const quantities = ['1', '100m', '1.5Gi', '2e3', '-3k', '.5', '1e-30', '0Ei', 7];
/** Names that every object of JavaScript has, and directives of patches. */
const oddNames = [
  'constructor',
  '__proto__',
  'toString',
  'valueOf',
  '',
  'name',
  'a/b',
  'x'.repeat(300),
  '$patch',
  'é\u{1f600}',
];
const oddValues: readonly unknown[] = [
  null,
  true,
  0,
  -0,
  -1,
  1.5,
  1e308,
  2 ** 31,
  2 ** 53,
  2 ** 63,
  '',
  '\ud800',
  '\u{0}',
  'constructor',
  '__proto__',
  '9'.repeat(400),
  '1e-99999999',
  'AA==',
  [],
  {},
  [null],
  { toString: null },
  { constructor: 1 },
  ...times,
  ...quantities,
];

/** An object as its schema has it: required fields, some of the others, values of the right type. */
export function randomObject(random: Random, message: Message, depth = 0): JsonObject {
  const fields = [...message.byName];
  const entries = fields.filter(([, field]) => field.required === true && !random.oneIn(16));
  const most = depth > 5 ? 0 : depth > 2 ? 2 : 4;
  if (fields.length > 0) entries.push(...random.many(0, most, () => random.pick(fields)));
  return Object.fromEntries(entries.map(([name, field]) => [name, randomField(random, field, depth)]));
}

function randomField(random: Random, field: Field, depth: number): unknown {
  if (random.oneIn(32)) return random.pick(oddValues);
  if (field.values !== undefined && !random.oneIn(8)) return random.pick(field.values);
  return randomValue(random, field.type, depth + 1);
}

function randomValue(random: Random, type: FieldType, depth: number): unknown {
  switch (type.type) {
    case 'object':
      return randomObject(random, type.message, depth);
    case 'list':
      return random.many(0, 2, () => randomValue(random, type.item, depth));
    case 'map':
      return Object.fromEntries(
        random.many(0, 2, () => [
          random.pick(random.oneIn(8) ? oddNames : texts),
          randomValue(random, type.value, depth),
        ]),
      );
    default:
      return randomScalar(random, type.type);
  }
}

function randomScalar(random: Random, type: ScalarName): unknown {
  switch (type) {
    case 'string':
      return random.pick(texts);
    case 'bool':
      return random.oneIn(2);
    case 'int32':
    case 'int64':
      return random.pick([0, 1, 80, 443, 30_080, 65_535, -1, random.below(100_000)]);
    case 'double':
      return random.pick([0, 0.5, 1e9]);
    case 'bytes':
      return random.bytes(random.below(6)).toString('base64');
    case 'quantity':
      return random.pick(quantities);
    case 'intOrString':
      return random.pick([80, 'http', '50%']);
    case 'time':
    case 'microTime':
      return random.pick(times);
    case 'rawExtension':
      return { a: [1, { b: null }] };
    case 'fieldsV1':
      return {
        'f:metadata': { 'f:labels': { '.': {}, 'f:a': {} } },
        'f:spec': { 'k:{"port":80,"protocol":"TCP"}': {} },
      };
    case 'strings':
      return random.many(0, 2, () => random.pick(texts));
  }
}

/** Changes a value somewhere inside: members gone, again, renamed, of another type, deep, or taken from `other`. */
export function mutateJson(random: Random, value: unknown, other: unknown): unknown {
  if (typeof value !== 'object' || value === null)
    return random.oneIn(2) ? random.pick(oddValues) : pieceOf(random, other);
  const entries: [string, unknown][] = Object.entries(value);
  const at = random.below(entries.length);
  const [name = 'a', inner] = entries[at] ?? [];
  if (entries.length > 0 && !random.oneIn(3)) entries[at] = [name, mutateJson(random, inner, other)];
  else changeMembers(random, entries, at, other);
  if (random.oneIn(64)) return Array.isArray(value) ? Object.fromEntries(entries) : entries.map(([, each]) => each);
  return Array.isArray(value) ? entries.map(([, each]) => each) : Object.fromEntries(entries);
}

function changeMembers(random: Random, entries: [string, unknown][], at: number, other: unknown): void {
  const [name = 'a', value] = entries[at] ?? [];
  switch (random.below(6)) {
    case 0:
      entries.splice(at, 1);
      break;
    case 1:
      entries.splice(at, 0, [random.pick(oddNames), value]);
      break;
    case 2:
      entries.push([random.pick(oddNames), random.pick(oddValues)]);
      break;
    case 3:
      entries[at] = [name, pieceOf(random, other)];
      break;
    case 4:
      entries[at] = [name, nested(random, value)];
      break;
    default:
      entries.push([random.pick(texts), pieceOf(random, other)]);
  }
}

/** Anything inside a value. */
function pieceOf(random: Random, value: unknown): unknown {
  let piece = value;
  while (typeof piece === 'object' && piece !== null && !random.oneIn(3)) {
    const members: unknown[] = Object.values(piece);
    if (members.length === 0) break;
    piece = random.pick(members.map((member) => [member]))[0];
  }
  return piece;
}

function nested(random: Random, value: unknown): unknown {
  let result = value;
  for (let depth = random.pick([1, 1, 3, 60]); depth > 0; depth -= 1)
    result = random.oneIn(2) ? [result] : { a: result };
  return result;
}

/** As `mutateJson` for text; undefined when one of them is no JSON. */
export function mutateJsonText(random: Random, text: string, other: string): string | undefined {
  try {
    return JSON.stringify(mutateJson(random, JSON.parse(text), JSON.parse(other)));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return undefined;
  }
}
