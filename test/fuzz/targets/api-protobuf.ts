import assert from 'node:assert/strict';
import { conformObject } from '../../../src/api/conform.ts';
import { decodeBody } from '../../../src/api/decode.ts';
import { decodeMessage } from '../../../src/api/protobuf/decode.ts';
import { encodeMessage } from '../../../src/api/protobuf/encode.ts';
import { openEnvelope, protobufMediaType, sealEnvelope } from '../../../src/api/protobuf/envelope.ts';
import { kindOfObject, kinds } from '../../../src/api/registry.ts';
import type { Kind } from '../../../src/api/schema.ts';
import { attempt } from '../api-error.ts';
import { mutateBytes } from '../byte-mutations.ts';
import { randomObject } from '../json-values.ts';
import type { Random } from '../random.ts';
import type { Target } from '../target.ts';

/** Protobuf bodies, as the clients of Kubernetes' own components send them. */
export const apiProtobuf: Target = {
  name: 'api-protobuf',
  form: 'bytes',
  generate: randomEnvelope,
  mutate: mutateBytes,
  check(body) {
    const opened = attempt(() => openEnvelope(body));
    if ('refused' in opened) return opened.refused;
    const { apiVersion, kind: name, raw } = opened.value;
    const kind = kindOfObject(apiVersion, name) ?? kinds[raw.length % kinds.length] ?? assert.fail('there are kinds');
    const read = attempt(() => decodeBody(kind, body, protobufMediaType, 'Warn'));
    if ('refused' in read) return read.refused;
    checkForm(kind, read.value.value);
    return kind.kind;
  },
};

function randomEnvelope(random: Random): Buffer {
  const kind = random.pick(kinds);
  const made = attempt(() => conformObject(kind, randomObject(random, kind.message)).value);
  const value = 'value' in made ? made.value : {};
  const raw = encodeMessage(kind.message, value);
  return Buffer.from(sealEnvelope({ apiVersion: kind.apiVersion, kind: kind.kind, raw }));
}

/** What protobuf gives is what JSON would: of the right types, and the same when written again. */
function checkForm(kind: Kind, value: unknown): void {
  const { value: conformed, unknown } = conformObject(kind, value);
  assert.deepEqual(unknown, []);
  const bytes = encodeMessage(kind.message, conformed);
  const again = decodeMessage(kind.message, bytes);
  assert.deepEqual(
    Buffer.from(encodeMessage(kind.message, again)),
    Buffer.from(bytes),
    'what is written reads as the same',
  );
}
