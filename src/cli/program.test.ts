import assert from 'node:assert/strict';
import { test } from 'node:test';
import { conflict, forbidden } from '../api/errors.ts';
import { TransportError } from '../client/client.ts';
import { CommandError, UsageError } from './command-error.ts';
import { defineCommand } from './command.ts';
import type { CommandEntry } from './command.ts';
import { runProgram } from './program.ts';
import { testIo } from './testing/test-io.ts';

const greet = defineCommand({
  name: 'greet',
  summary: 'Say hello',
  usage: ['greet NAME [flags]'],
  options: { loud: { type: 'boolean', short: 'l', summary: 'In capitals' } },
  examples: [{ command: 'fairlead greet me', does: 'Hello, me' }],
  async run({ args, options, stdout }) {
    const text = `hello ${args.join(' ')}`;
    stdout.write(`${options.loud ? text.toUpperCase() : text}\n`);
    return 0;
  },
});

function failing(error: unknown): CommandEntry {
  const command = defineCommand({
    name: 'fail',
    summary: 'Fail',
    usage: ['fail'],
    options: {},
    examples: [],
    async run() {
      throw error;
    },
  });
  return { group: 'Group', name: 'fail', load: async () => ({ command }) };
}

const entries: readonly CommandEntry[] = [{ group: 'Group', name: 'greet', load: async () => ({ command: greet }) }];

async function run(argv: readonly string[], list = entries) {
  const io = testIo();
  const code = await runProgram(list, argv, io);
  return { code, ...io.written };
}

test('a command gets its flags and arguments', async () => {
  assert.deepEqual(await run(['greet', '-l', 'you']), { code: 0, stdout: 'HELLO YOU\n', stderr: '' });
});

test('--help lists the commands by group', async () => {
  const { code, stdout } = await run(['--help']);
  assert.equal(code, 0);
  assert.match(stdout, /Group\n  greet  Say hello\n/);
});

test('no command at all is a usage error with the list on stderr', async () => {
  const { code, stdout, stderr } = await run([]);
  assert.deepEqual([code, stdout], [2, '']);
  assert.match(stderr, /greet  Say hello/);
});

for (const argv of [
  ['greet', '--help'],
  ['greet', 'me', '-h'],
  ['help', 'greet'],
]) {
  test(`fairlead ${argv.join(' ')} explains the command`, async () => {
    const { code, stdout } = await run(argv);
    assert.equal(code, 0);
    assert.equal(
      stdout,
      [
        'Say hello.',
        '',
        'Usage',
        '  fairlead greet NAME [flags]',
        '',
        'Flags',
        '  -l, --loud  In capitals',
        '  -h, --help  Show this help',
        '',
        'Examples',
        '  # Hello, me',
        '  fairlead greet me',
        '',
      ].join('\n'),
    );
  });
}

test('an unknown command gets a proposal', async () => {
  const { code, stderr } = await run(['gret']);
  assert.equal(code, 2);
  assert.equal(stderr, 'error: there is no command "gret"\n  did you mean greet?\n  see: fairlead --help\n');
});

test('an unknown flag leads to the help of the command', async () => {
  const { code, stderr } = await run(['greet', '--quiet']);
  assert.equal(code, 2);
  assert.match(stderr, /see: fairlead greet --help/);
});

const pods = { plural: 'pods', group: '' };
const codes: readonly [string, unknown, number][] = [
  ['a command error', new CommandError('no', { code: 8 }), 8],
  ['a usage error', new UsageError('no'), 2],
  ['a conflict', conflict(pods, 'a'), 5],
  ['a refusal', forbidden(pods, 'a', 'no'), 6],
  ['an unreachable server', new TransportError('GET /: connect ECONNREFUSED 127.0.0.1:6443'), 4],
  ['a defect', new TypeError('x is undefined'), 1],
];

for (const [what, error, code] of codes) {
  test(`${what} ends with exit code ${code}`, async () => {
    assert.equal((await run(['fail'], [failing(error)])).code, code);
  });
}

test('a refused connection says how to start', async () => {
  const error = new TransportError('GET /: connect ECONNREFUSED 127.0.0.1:6443');
  assert.match((await run(['fail'], [failing(error)])).stderr, /start it with: fairlead up/);
});

/** Commands that say what they were called with: the world of `proxy`, `proxy dump` and `proxy diff`. */
function echoing(usages: Readonly<Record<string, readonly string[]>>, said: string[]): readonly CommandEntry[] {
  return Object.entries(usages).map(([name, usage]) => ({
    group: 'Test',
    name,
    load: async () => ({
      command: defineCommand({
        name,
        summary: `what ${name} does`,
        usage,
        options: { plane: { type: 'string', value: 'PLANE', summary: '' } },
        examples: [],
        async run({ args }) {
          said.push([name, ...args].join(' | '));
          return 0;
        },
      }),
    }),
  }));
}

test('a command may have two words, and the first of them be a command too', async () => {
  const said: string[] = [];
  const list = echoing({ proxy: ['proxy [WORD…]'], 'proxy dump': ['proxy dump [WORD…]'] }, said);
  assert.equal((await run(['proxy', 'dump', 'cart'], list)).code, 0);
  assert.equal((await run(['proxy', 'cart'], list)).code, 0);
  assert.deepEqual(said, ['proxy dump | cart', 'proxy | cart']);
  const help = await run(['help', 'proxy', 'dump'], list);
  assert.equal(help.code, 0);
  assert.match(help.stdout, /what proxy dump does/);
});

const proxyUsages = {
  proxy: ['proxy [flags]', 'proxy --cleanup'],
  'proxy dump': ['proxy dump [SERVICE…] [flags]'],
  'proxy diff': ['proxy diff [SERVICE…] [flags]'],
  status: ['status [flags]'],
  exec: ['exec [POD] -- PROGRAM'],
};

const strays: readonly [string, string][] = [
  [
    'proxy dmup',
    'proxy takes no arguments, but there is "dmup"; its subcommands are dump and diff\n  did you mean proxy dump?',
  ],
  ['proxy --plane ipvs diff', 'but there is "diff"; its subcommands are dump and diff\n  did you mean proxy diff?'],
  [
    'proxy extra arg',
    'proxy takes no arguments, but there is "extra"; its subcommands are dump and diff\n  see: fairlead proxy --help',
  ],
  ['proxy -- dump', 'proxy takes nothing after --, but there is "dump"'],
  ['status now', 'status takes no arguments, but there is "now"\n  see: fairlead status --help'],
  ['help proxy dmup', 'there is no command "proxy dmup"\n  did you mean proxy dump?'],
];
for (const [line, message] of strays) {
  test(`fairlead ${line} is refused, and nothing runs`, async () => {
    const said: string[] = [];
    const { code, stdout, stderr } = await run(line.split(' '), echoing(proxyUsages, said));
    assert.deepEqual([code, stdout, said], [2, '', []]);
    assert.ok(stderr.includes(message), stderr);
  });
}

test('what a usage names is taken, after -- too', async () => {
  const said: string[] = [];
  const list = echoing(proxyUsages, said);
  for (const line of ['proxy --plane ipvs', 'proxy dump cart', 'exec web -- ls'])
    assert.equal((await run(line.split(' '), list)).code, 0);
  assert.deepEqual(said, ['proxy', 'proxy dump | cart', 'exec | web']);
});
