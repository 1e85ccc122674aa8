import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UsageError } from './command-error.ts';
import type { OptionTable } from './command.ts';
import { nearest, parseArguments } from './parse.ts';

const table = {
  namespace: { type: 'string', short: 'n', value: 'NAME', summary: '' },
  output: { type: 'string', short: 'o', value: 'FORMAT', choices: ['json', 'yaml'], summary: '' },
  filename: { type: 'strings', short: 'f', value: 'PATH', summary: '' },
  watch: { type: 'boolean', short: 'w', summary: '' },
  wait: { type: 'boolean', default: true, summary: '' },
  tail: { type: 'number', min: -1, value: 'N', summary: '' },
  since: { type: 'duration', value: 'TIME', summary: '' },
  stdin: { type: 'boolean', short: 'i', summary: '' },
  tty: { type: 'boolean', short: 't', summary: '' },
} as const satisfies OptionTable;

const accepted: readonly [string, Record<string, unknown>, readonly string[]][] = [
  ['pods', {}, ['pods']],
  ['pods -n shop a', { namespace: 'shop' }, ['pods', 'a']],
  ['-nshop pods', { namespace: 'shop' }, ['pods']],
  ['--namespace=shop', { namespace: 'shop' }, []],
  ['-n=shop', { namespace: 'shop' }, []],
  ['-ojson', { output: 'json' }, []],
  ['-f a.yaml -f -', { filename: ['a.yaml', '-'] }, []],
  ['-it', { stdin: true, tty: true }, []],
  ['--watch=false', { watch: false }, []],
  ['--no-wait', { wait: false }, []],
  ['--wait=false', { wait: false }, []],
  ['--tail -1', { tail: -1 }, []],
  ['--tail=20', { tail: 20 }, []],
  ['--since 1h30m', { since: 5_400_000 }, []],
  ['-n a -n b', { namespace: 'b' }, []],
];

for (const [line, options, args] of accepted) {
  test(`"${line}" is understood`, () => {
    const parsed = parseArguments(table, line.split(' '));
    const defaults = { filename: [], watch: false, wait: true, stdin: false, tty: false };
    const given = Object.fromEntries(Object.entries(parsed.options).filter(([, value]) => value !== undefined));
    assert.deepEqual(given, { ...defaults, ...options });
    assert.deepEqual(parsed.args, args);
    assert.equal(parsed.rest, undefined);
  });
}

const refused: readonly [string, RegExp][] = [
  ['--nope', /unknown flag --nope/],
  ['-x', /unknown flag -x/],
  ['-o table', /-o is one of json, yaml, not "table"/],
  ['--tail many', /--tail is a whole number from -1, not "many"/],
  ['--since yesterday', /--since is a duration such as 30s/],
  ['--namespace', /--namespace needs a value: --namespace NAME/],
  ['--watch=maybe', /--watch is true or false/],
];

for (const [line, message] of refused) {
  test(`"${line}" is refused`, () => {
    assert.throws(
      () => parseArguments(table, line.split(' ')),
      (error) => {
        assert.ok(error instanceof UsageError);
        assert.match(error.message, message);
        return true;
      },
    );
  });
}

test('everything after -- belongs to someone else', () => {
  const parsed = parseArguments(table, ['pod', '-n', 'shop', '--', 'ls', '-n', '--', '--nope']);
  assert.deepEqual(parsed.args, ['pod']);
  assert.deepEqual(parsed.rest, ['ls', '-n', '--', '--nope']);
});

test('a -- that is the value of a flag ends nothing', () => {
  assert.equal(parseArguments(table, ['-f', '--']).rest, undefined);
});

test('a mistyped flag gets a proposal', () => {
  assert.throws(() => parseArguments(table, ['--namespce=a']), { hint: 'did you mean --namespace?' });
});

test('only near words are proposed', () => {
  assert.equal(nearest('gte', ['get', 'apply']), 'get');
  assert.equal(nearest('frobnicate', ['get', 'apply']), undefined);
});
