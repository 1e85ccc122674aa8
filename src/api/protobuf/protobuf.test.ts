import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { int32, message, microTime, object, string, time } from '../declare.ts';
import { ApiError } from '../errors.ts';
import { kinds } from '../registry.ts';
import type { Field, FieldType, Message, ScalarName } from '../schema.ts';
import { decodeMessage } from './decode.ts';
import { encodeMessage } from './encode.ts';
import { openEnvelope, sealEnvelope } from './envelope.ts';
import { Reader, Writer } from './wire.ts';

const text = fc.string({ minLength: 1, maxLength: 8, unit: 'grapheme' });
const seconds = fc.integer({ min: 1, max: 4_000_000_000 });

function isoSeconds(value: number): string {
  return `${new Date(value * 1000).toISOString().slice(0, 19)}Z`;
}

/** Values that are not the zero value, so that they survive whatever the field's rules are. */
const scalars: Readonly<Record<ScalarName, fc.Arbitrary<unknown>>> = {
  string: text,
  int32: fc.integer().filter((value) => value !== 0),
  int64: fc.maxSafeInteger().filter((value) => value !== 0),
  double: fc.double({ noNaN: true, min: 1 }),
  bool: fc.constant(true),
  bytes: fc.uint8Array({ minLength: 1, maxLength: 8 }).map((bytes) => Buffer.from(bytes).toString('base64')),
  quantity: fc.constantFrom('100m', '1', '1Gi', '129e6'),
  intOrString: fc.oneof(text, fc.integer({ min: 1, max: 65535 })),
  time: seconds.map(isoSeconds),
  microTime: seconds.map((value) => `${isoSeconds(value).slice(0, 19)}.123456Z`),
  rawExtension: fc.constant({ kind: 'X', a: [1] }),
  fieldsV1: fc.constant({ 'f:a': {} }),
  strings: fc.array(text, { minLength: 1, maxLength: 3 }),
};

function arbitrary(type: FieldType, depth: number): fc.Arbitrary<unknown> {
  switch (type.type) {
    case 'object':
      return arbitraryMessage(type.message, depth - 1);
    case 'list':
      return fc.array(arbitrary(type.item, depth), { minLength: 1, maxLength: 2 });
    case 'map':
      return fc.dictionary(text, arbitrary(type.value, depth), { minKeys: 1, maxKeys: 2 });
    default:
      return scalars[type.type];
  }
}

function isShallow({ type }: Field): boolean {
  const inner = type.type === 'list' ? type.item : type;
  return inner.type !== 'object';
}

function arbitraryMessage(message: Message, depth: number): fc.Arbitrary<unknown> {
  const fields = Object.entries(message.fields)
    .filter(([, field]) => field.number > 0 && (depth > 0 || isShallow(field)))
    .map(([name, field]) => [name, arbitrary(field.type, depth)] as const);
  return fc.record(Object.fromEntries(fields), { requiredKeys: [], noNullPrototype: true });
}

/** Non-pointer objects without content do not survive, by design. */
function withoutEmpty(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutEmpty);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, each]) => [key, withoutEmpty(each)] as const);
  return Object.fromEntries(entries.filter(([, each]) => !isEmptyObject(each)));
}

function isEmptyObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}

for (const kind of kinds) {
  test(`${kind.apiVersion} ${kind.kind} survives encoding and decoding`, () => {
    fc.assert(
      fc.property(arbitraryMessage(kind.message, 4), (value) => {
        const decoded = decodeMessage(kind.message, encodeMessage<unknown>(kind.message, value));
        assert.deepEqual(withoutEmpty(decoded), withoutEmpty(value));
      }),
      { numRuns: 20 },
    );
  });
}

test('an envelope gives back what it was closed with', () => {
  const envelope = { apiVersion: 'apps/v1', kind: 'Deployment', raw: new Uint8Array([1, 2, 3]) };
  assert.deepEqual(openEnvelope(sealEnvelope(envelope)), envelope);
});

test('numbers of every size are written and read', () => {
  for (const value of [0, 1, 127, 128, 2 ** 31, 2 ** 53 - 1, -1, -(2 ** 31), -(2 ** 53 - 1)]) {
    const writer = new Writer();
    writer.signed(value);
    assert.equal(new Reader(writer.written).signed(), value);
  }
});

const Old = message('test.Old', { name: string(1) });
const New = message('test.New', {
  name: string(1),
  count: int32(2),
  inner: object(3, Old),
  zero: int32(4, { pointer: true }),
});

test('fields of newer clients are skipped', () => {
  const bytes = encodeMessage(New, { name: 'a', count: 7, inner: { name: 'b' } });
  assert.deepEqual(decodeMessage(Old, bytes), { name: 'a' });
});

test('zero values are dropped unless the field is a pointer', () => {
  const bytes = encodeMessage(New, { name: '', count: 0, inner: {}, zero: 0 });
  assert.deepEqual(decodeMessage(New, bytes), { inner: {}, zero: 0 });
});

test('cut and random bytes never do more than answer 400', () => {
  const sample = encodeMessage(New, { name: 'abc', count: 300, inner: { name: 'def' } });
  for (let length = 0; length < sample.length; length++) {
    try {
      decodeMessage(New, sample.subarray(0, length));
    } catch (error) {
      assert.ok(error instanceof ApiError && error.code === 400);
    }
  }
  fc.assert(
    fc.property(fc.constantFrom(...kinds), fc.uint8Array({ maxLength: 64 }), (kind, bytes) => {
      try {
        decodeMessage(kind.message, bytes);
      } catch (error) {
        assert.ok(error instanceof ApiError && error.code === 400, String(error));
      }
    }),
  );
});

test('times that cannot be written are refused', () => {
  const Timed = message('test.Timed', { at: time(1), fine: microTime(2) });
  const bytes = (field: number, second: number, nanos: number) => {
    const inner = new Writer();
    inner.tag(1, 0);
    inner.signed(second);
    inner.tag(2, 0);
    inner.signed(nanos);
    const outer = new Writer();
    outer.tag(field, 2);
    outer.bytes(inner.written);
    return outer.written;
  };
  assert.deepEqual(decodeMessage(Timed, bytes(2, 1, 999_999_999)), { fine: '1970-01-01T00:00:01.999999Z' });
  const wrong = [bytes(1, 2 ** 62, 0), bytes(1, -62_167_219_201, 0), bytes(2, 1, -1), bytes(2, 1, 1e9)];
  for (const each of wrong) assert.throws(() => decodeMessage(Timed, each), /time is outside of range/);
});
