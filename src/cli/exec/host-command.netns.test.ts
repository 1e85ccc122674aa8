import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { finish } from '../../../test/support/commands.ts';

const before = readFileSync('/etc/resolv.conf', 'utf8');

/** Runs a program with another resolv.conf, in a process of its own, as the user `uid`. */
async function run(uid: number, ...command: readonly string[]) {
  const script = `
    const { runWithFiles } = await import(${JSON.stringify(new URL('host-command.ts', import.meta.url).href)});
    const io = { env: { ...process.env, LOCALDOMAIN: 'x' }, uid: ${uid}, cwd: '/', stdin: () => process.stdin,
      takeSignals: (listener) => (process.on('SIGTERM', () => listener('SIGTERM')), { [Symbol.dispose]() {} }) };
    const files = { '/etc/resolv.conf': 'nameserver 192.0.2.1\\n' };
    process.exitCode = await runWithFiles(${JSON.stringify(command)}, files, io).catch((error) => error.code);`;
  const prefix = uid === 0 ? [] : [`--reuid=${uid}`, `--regid=${uid}`, '--clear-groups'];
  const args = [...prefix, process.execPath, '--input-type=module', '-e', script];
  return await finish('setpriv', args, { timeoutMs: 20_000 });
}

for (const uid of [0, 65534]) {
  test(`user ${uid} sees the other file, as itself, and the host's does not change`, async () => {
    const { code, stdout } = await run(uid, 'sh', '-c', 'cat /etc/resolv.conf; id -u; echo "<$LOCALDOMAIN>"; exit 7');
    assert.equal(stdout, `nameserver 192.0.2.1\n${uid}\n<>\n`);
    assert.equal(code, 7);
    assert.equal(readFileSync('/etc/resolv.conf', 'utf8'), before);
  });
}

test('the signal that ended a program is in the exit code', async () => {
  assert.equal((await run(0, 'sh', '-c', 'kill -9 $$')).code, 137);
});

test('a signal is passed on to the program', async () => {
  assert.equal((await run(0, 'sh', '-c', 'trap "exit 9" TERM; kill $PPID; while :; do sleep 0.05; done')).code, 9);
});

test('a program that does not exist ends with 127, one that cannot run with 126', async () => {
  assert.equal((await run(0, 'no-such-program')).code, 127);
  assert.equal((await run(0, '/etc/passwd')).code, 126);
});
