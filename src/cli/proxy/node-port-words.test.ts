import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nowhere } from '../../proxy/node-ports.ts';
import { readNodePortWords } from './node-port-words.ts';

const cases: readonly [string, readonly string[], boolean, boolean][] = [
  ['', [], false, false],
  ['primary', [], false, true],
  ['localhost', nowhere, true, false],
  ['all', [], true, false],
  ['primary,localhost', [], true, true],
  ['all,primary', [], true, false],
  ['192.0.2.0/24', ['192.0.2.0/24'], false, false],
  ['192.0.2.0/24,localhost', ['192.0.2.0/24'], true, false],
  ['127.0.0.0/8', nowhere, true, false],
  ['::1/128,192.0.2.0/24', ['192.0.2.0/24'], true, false],
  ['0.0.0.0/0', ['0.0.0.0/0'], false, false],
];

for (const [words, nodePortAddresses, nodePortLocalhost, nodePortsOnPrimary] of cases) {
  test(`node ports on "${words}"`, () => {
    const read = readNodePortWords(words === '' ? [] : [words]);
    assert.deepEqual(read, { nodePortAddresses, nodePortLocalhost, nodePortsOnPrimary });
  });
}

test('a word that is none is refused', () => {
  assert.throws(() => readNodePortWords(['primray']), { message: /--nodeport-addresses: "primray"/ });
});
