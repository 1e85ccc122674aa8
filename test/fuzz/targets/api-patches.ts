import assert from 'node:assert/strict';
import { applyPatch } from '../../../src/apiserver/apply/apply.ts';
import { applyJsonPatch } from '../../../src/apiserver/patch/json-patch.ts';
import { applyMergePatch } from '../../../src/apiserver/patch/merge-patch.ts';
import { applyStrategicMergePatch } from '../../../src/apiserver/patch/strategic-merge.ts';
import { decodeObject } from '../../../src/api/decode.ts';
import type { ApiObject } from '../../../src/api/meta/object-meta.ts';
import { kinds } from '../../../src/api/registry.ts';
import type { Kind } from '../../../src/api/schema.ts';
import { isJsonObject } from '../../../src/lib/json.ts';
import type { JsonObject } from '../../../src/lib/json.ts';
import { attempt } from '../api-error.ts';
import { mutateJson, mutateJsonText, randomObject } from '../json-values.ts';
import type { Random } from '../random.ts';
import { textTarget } from '../target.ts';
import type { Target } from '../target.ts';
import { mutateText } from '../text-mutations.ts';

const patched = kinds.filter(({ kind }) =>
  ['Service', 'Pod', 'Deployment', 'ConfigMap', 'Node', 'EndpointSlice'].includes(kind),
);
const directives = [
  '"$patch"',
  '"delete"',
  '"replace"',
  '"$retainKeys"',
  '"$setElementOrder/ports"',
  '"$deleteFromPrimitiveList/finalizers"',
  '"$setElementOrder/containers"',
];
const words = [
  ...directives,
  '"op"',
  '"add"',
  '"remove"',
  '"move"',
  '"copy"',
  '"test"',
  '"path"',
  '"from"',
  '"value"',
  '"/metadata/-"',
  '"/a~1b~0/01"',
  '"/__proto__/a"',
  'null',
  '{}',
  '[]',
  '{"toString":null}',
];

/** An object and a patch of it, of each of the four types. */
export const apiPatches: Target = textTarget({
  name: 'api-patches',
  generate: randomPatch,
  mutate: (random, text, other) =>
    (random.oneIn(3) ? undefined : mutateJsonText(random, text, other)) ?? mutateText(random, text, other, words),
  check(text) {
    const input = parse(text);
    if (!isJsonObject(input) || !isJsonObject(input['document'])) return 'no input';
    const { document, patch } = input as { readonly document: JsonObject; readonly patch?: unknown };
    const kind = patched.find((each) => each.kind === input['kind']) ?? patched[0] ?? assert.fail('there are kinds');
    const before = JSON.stringify(document);
    const kindsOfOutcome = [
      checkMerge(document, patch),
      checkJsonPatch(document, patch),
      checkStrategic(kind, document, patch),
      checkApply(kind, document, patch),
    ];
    assert.equal(JSON.stringify(document), before, 'the document stays as it was');
    return kindsOfOutcome.join('; ');
  },
});

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function randomPatch(random: Random): string {
  const kind = random.pick(patched);
  const document = randomObject(random, kind.message);
  const changed = mutateJson(random, mutateJson(random, document, document), randomObject(random, kind.message));
  const patch = random.oneIn(2) ? changed : random.many(0, 4, () => randomOperation(random, document));
  return JSON.stringify({ kind: kind.kind, document, patch });
}

function randomOperation(random: Random, document: JsonObject): JsonObject {
  const op = random.pick(['add', 'remove', 'replace', 'move', 'copy', 'test']);
  const value = random.pick(
    Object.values(document)
      .map((each) => [each])
      .concat([['a']]),
  )[0];
  return { op, path: randomPointer(random, document), from: randomPointer(random, document), value };
}

function randomPointer(random: Random, document: unknown): string {
  let at = document;
  let path = '';
  while (typeof at === 'object' && at !== null && !random.oneIn(4)) {
    const [name, value] = random.pick([
      ...Object.entries(at),
      [Array.isArray(at) ? '-' : 'new~1~0', undefined] as const,
    ]);
    path += `/${name}`;
    at = value;
  }
  return path;
}

/** As RFC 7386 has it, word for word. */
function mergeAsRfc(target: unknown, patch: unknown): unknown {
  if (!isJsonObject(patch)) return patch;
  const result = new Map(isJsonObject(target) ? Object.entries(target) : []);
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) result.delete(name);
    else result.set(name, mergeAsRfc(result.get(name), value));
  }
  return Object.fromEntries(result);
}

function checkMerge(document: JsonObject, patch: unknown): string {
  const merged = attempt(() => applyMergePatch(document, patch));
  if ('refused' in merged) return merged.refused;
  assert.deepEqual(merged.value, mergeAsRfc(document, patch), 'merges as the RFC says');
  return 'merged';
}

function checkJsonPatch(document: JsonObject, patch: unknown): string {
  const result = attempt(() => applyJsonPatch(document, patch));
  if ('refused' in result) return result.refused;
  const last: unknown = Array.isArray(patch) ? patch.at(-1) : undefined;
  if (
    isJsonObject(last) &&
    (last['op'] === 'add' || last['op'] === 'replace') &&
    !String(last['path']).endsWith('/-')
  ) {
    applyJsonPatch(result.value, [{ op: 'test', path: last['path'], value: last['value'] }]);
  }
  return 'changed';
}

function checkStrategic(kind: Kind, document: JsonObject, patch: unknown): string {
  const result = attempt(() => applyStrategicMergePatch(kind, document, patch));
  if ('refused' in result) return result.refused;
  const read = attempt(() => decodeObject(kind, { value: result.value, duplicates: [] }, 'Ignore'));
  return 'refused' in read ? 'no object' : 'object';
}

/** What is applied twice is owned, and changes nothing the second time. */
function checkApply(kind: Kind, document: JsonObject, patch: unknown): string {
  const read = attempt(() => [document, patch].map((value) => objectOf(kind, value)));
  if ('refused' in read) return 'no objects';
  const [live, applied] = read.value;
  if (live === undefined || applied === undefined) return 'no objects';
  const applier = { manager: 'fuzz', force: true, time: '2026-01-02T03:04:05Z', subresource: undefined };
  const first = attempt(() => applyPatch<ApiObject>(kind, live, applied, applier));
  if ('refused' in first) return first.refused;
  if (first.value.type === 'conflicts') return 'conflicts';
  const { object } = first.value;
  const second = applyPatch<ApiObject>(kind, object, applied, applier);
  assert.ok(second.type !== 'conflicts', 'nobody conflicts with oneself');
  assert.deepEqual(second.object, object, 'what is applied again changes nothing');
  return 'applied';
}

function objectOf(kind: Kind, value: unknown): ApiObject {
  const { value: object } = decodeObject(kind, { value, duplicates: [] }, 'Ignore');
  return { ...object, metadata: { ...object.metadata } };
}
