import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  dataKey,
  dns1035,
  dnsLabel,
  dnsSubdomain,
  envName,
  labelValue,
  nameRule,
  pathSegment,
  portName,
  portNumber,
  qualifiedName,
} from './names.ts';

type Rule = (value: string) => readonly string[];

const rules: readonly (readonly [string, Rule, readonly string[], readonly string[]])[] = [
  ['an RFC 1123 label', dnsLabel, ['a', '1a', 'a-b', 'a'.repeat(63)], ['', 'A', '-a', 'a-', 'a.b', 'a'.repeat(64)]],
  ['an RFC 1123 subdomain', dnsSubdomain, ['a', 'a.b', '1.2'], ['', 'a..b', '.a', 'A.b', 'a'.repeat(254)]],
  ['an RFC 1035 label', dns1035, ['a', 'a1', 'a-b'], ['1a', '', 'a-', 'A']],
  ['a label value', labelValue, ['', 'A', 'a_b.c-d'], ['-a', 'a b', 'a'.repeat(64)]],
  ['a qualified name', qualifiedName, ['a', 'A_b', 'x.io/name'], ['', '/a', 'a/', 'a/b/c', 'X.io/a', 'a b']],
  ['a port name', portName, ['http', 'a-1'], ['', '80', 'a--b', '-a', 'a-', 'A', 'a'.repeat(16)]],
  ['a data key', dataKey, ['a', '.a', 'A_b-c.d'], ['', '.', '..', '..a', 'a/b']],
  ['the name of a variable', envName, ['A', 'a.b', '_x', '1a', 'a b'], ['', 'a=b', 'ä', 'a\n']],
  ['a path segment', pathSegment, ['a', 'a:b'], ['.', '..', 'a/b', 'a%b']],
];

for (const [what, rule, good, bad] of rules) {
  for (const value of good) test(`${JSON.stringify(value)} is ${what}`, () => assert.deepEqual(rule(value), []));
  for (const value of bad) {
    test(`${JSON.stringify(value.slice(0, 20))} is not ${what}`, () => assert.notDeepEqual(rule(value), []));
  }
}

test('the message for a bad DNS label is the one that users know', () => {
  assert.deepEqual(dnsLabel('A_b'), [
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name', or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
  ]);
});

test('a generated name may end in a dash before its random part', () => {
  assert.deepEqual(nameRule(dnsLabel)('web-', true), []);
  assert.notDeepEqual(nameRule(dnsLabel)('web-', false), []);
});

test('ports go from 1 to 65535', () => {
  assert.deepEqual(
    [0, 1, 65535, 65536, 1.5].map((port) => portNumber(port).length),
    [1, 0, 0, 1, 1],
  );
});
