import assert from 'node:assert/strict';
import { stringify } from 'yaml';
import { withDefaults } from '../../../src/api/defaults.ts';
import { conformObject } from '../../../src/api/conform.ts';
import { decodeBody } from '../../../src/api/decode.ts';
import type { ApiObject } from '../../../src/api/meta/object-meta.ts';
import { decodeMessage } from '../../../src/api/protobuf/decode.ts';
import { encodeMessage } from '../../../src/api/protobuf/encode.ts';
import { kinds } from '../../../src/api/registry.ts';
import type { Kind } from '../../../src/api/schema.ts';
import { toTable } from '../../../src/api/table.ts';
import { validateCreate, validateUpdate } from '../../../src/api/validate.ts';
import { attempt } from '../api-error.ts';
import { mutateJsonText, randomObject } from '../json-values.ts';
import type { Random } from '../random.ts';
import { textTarget } from '../target.ts';
import type { Target } from '../target.ts';
import { mutateText } from '../text-mutations.ts';

const words =
  'kind apiVersion metadata name spec ports port status null true yes 0x1f 1e3 .inf !!binary !!set << &a *a --- ? __proto__ constructor {} [] "\\ud800"'.split(
    ' ',
  );

/** JSON and YAML of objects of every kind, through the schema. */
export const apiObjects: Target = textTarget({
  name: 'api-objects',
  generate: randomText,
  mutate: (random, text, other) =>
    (random.oneIn(3) ? undefined : mutateJsonText(random, text, other)) ?? mutateText(random, text, other, words),
  check(text) {
    const kind = kindOf(text);
    const type = text.startsWith('{') ? 'application/json' : 'application/yaml';
    const strictness = (['Ignore', 'Warn', 'Strict'] as const)[text.length % 3] ?? 'Warn';
    const read = attempt(() => decodeBody(kind, Buffer.from(text), type, strictness));
    if ('refused' in read) return `${type.slice(12)} ${read.refused}`;
    const { value, warnings } = read.value;
    assert.ok(strictness === 'Warn' || warnings.length === 0, 'only those who ask are warned');
    checkForm(kind, value);
    checkRules(kind, value);
    return `${kind.kind}${warnings.length > 0 ? ', warnings' : ''}`;
  },
});

function randomText(random: Random): string {
  const kind = random.pick(kinds);
  const { kind: name, apiVersion } = kind;
  const object = { kind: name, apiVersion, ...randomObject(random, kind.message) };
  return random.oneIn(8) ? stringify(object) : JSON.stringify(object, undefined, random.oneIn(8) ? 1 : undefined);
}

/** The kind that the text names first; of what names none, any. */
function kindOf(text: string): Kind {
  const [, name] = /kind"?\s*:\s*"?(\w+)/.exec(text) ?? [];
  const found = kinds.find(({ kind }) => kind === name) ?? kinds[text.length % kinds.length];
  return found ?? assert.fail('there are kinds');
}

/** What was read is in the form of its kind, in JSON and in protobuf. */
function checkForm(kind: Kind, value: ApiObject): void {
  const again = conformObject(kind, value);
  assert.deepEqual(again.value, value, 'the form is reached at once');
  assert.deepEqual(again.unknown, []);
  const packed = decodeMessage(kind.message, encodeMessage(kind.message, value));
  const twice = decodeMessage(kind.message, encodeMessage(kind.message, packed));
  assert.deepEqual(twice, packed, 'protobuf keeps what it can hold');
  assert.ok(conformObject(kind, packed).unknown.length === 0);
}

/** Defaults, rules and columns take whatever has the form. */
function checkRules(kind: Kind, value: ApiObject): void {
  const object = withDefaults(kind, value);
  assert.deepEqual(withDefaults(kind, object), object, 'defaults are filled in at once');
  assert.deepEqual(conformObject(kind, object).unknown, []);
  const { causes } = validateCreate(kind, object, {});
  validateUpdate(kind, object, object, {});
  if (causes.length === 0) JSON.stringify(toTable(kind, [object], { now: 0, include: 'Object', version: 'v1' }));
}
