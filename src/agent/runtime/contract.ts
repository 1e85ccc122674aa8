import assert from 'node:assert/strict';
import { closeSync, constants, openSync, readFileSync, writeSync } from 'node:fs';
import { createServer } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { finishCommand } from '../probes/exec.ts';
import type { Layout } from './layout.ts';
import type { ProcessEnd, ProcessSpec, Runtime, SandboxSpec } from './runtime.ts';

/** A runtime with a folder of its own. */
export interface ContractRuntime extends AsyncDisposable {
  readonly layout: Layout;
  /** Another one over the same folder, as a restarted agent has it. */
  open(): Runtime;
  /** An address for the Pod. */
  readonly podIp: string;
}

/** What every runtime does. `start` is called once; Pods of the suite have uids of their own. */
export function runtimeContract(name: string, start: () => ContractRuntime): void {
  describe(`runtime ${name}`, () => {
    let made: ContractRuntime;
    let runtime: Runtime;
    before(() => {
      made = start();
      runtime = made.open();
    });
    after(async () => {
      runtime.close();
      await made[Symbol.asyncDispose]();
    });

    const sandboxOf = (podUid: string): SandboxSpec => ({
      podUid,
      hostname: podUid,
      ip: made.podIp,
      isHostNetwork: false,
    });

    function run(podUid: string, script: string, change: Partial<ProcessSpec> = {}) {
      runtime.createSandbox(sandboxOf(podUid));
      const ended = Promise.withResolvers<ProcessEnd>();
      const spec: ProcessSpec = {
        podUid,
        container: 'main',
        attempt: 0,
        argv: ['sh', '-c', script],
        env: new Map([['PATH', process.env['PATH'] ?? '/usr/bin:/bin']]),
        workingDir: '/',
        user: { groups: [], noNewPrivileges: false },
        mounts: [],
        isReadOnlyRoot: false,
        hasStdin: false,
        hasTerminal: false,
        ...change,
      };
      runtime.start(spec, sandboxOf(podUid), ended.resolve);
      return { spec, ended: ended.promise };
    }

    const output = (spec: ProcessSpec, file: 'out' | 'err' = 'out') =>
      readFileSync(`${made.layout.attempt(spec)}/${file}`, 'utf8');

    async function untilOutput(spec: ProcessSpec, text: string): Promise<void> {
      for (const deadline = Date.now() + 5000; !output(spec).includes(text); await delay(5)) {
        if (Date.now() > deadline) throw new Error(`no "${text}" in "${output(spec)}"`);
      }
    }

    for (const [script, code] of [
      ['exit 0', 0],
      ['exit 7', 7],
      ['kill -TERM $$', 143],
      ['kill -KILL $$', 137],
    ] as const) {
      test(`"${script}" ends with ${code}`, async () => {
        const { ended } = run(`codes-${code}`, script);
        assert.equal((await ended).code, code);
        await runtime.removeSandbox(`codes-${code}`);
      });
    }

    test('output goes to the files, each stream to its own', async () => {
      const { spec, ended } = run('output', 'echo out; echo err >&2');
      await ended;
      assert.equal(output(spec), 'out\n');
      assert.equal(output(spec, 'err'), 'err\n');
      await runtime.removeSandbox('output');
    });

    test('variables arrive, those with names that a shell does not take included', async () => {
      const env = new Map([
        ['PATH', '/usr/bin:/bin'],
        ['odd.name', 'odd'],
      ]);
      const { spec, ended } = run('variables', '', { env, argv: ['env'] });
      await ended;
      assert.match(output(spec), /^odd\.name=odd$/m);
      await runtime.removeSandbox('variables');
    });

    test('a program that does not exist is refused at once', async () => {
      assert.throws(() => run('missing', '', { argv: ['no-such-program'] }), {
        name: 'StartError',
        message: 'unable to start container process: exec: "no-such-program": executable file not found in $PATH',
      });
      await runtime.removeSandbox('missing');
    });

    test('signals reach the process, and SIGKILL what it has started', async () => {
      const { spec, ended } = run('signals', 'trap "echo got it" TERM; echo up; while :; do sleep 0.02; done');
      await untilOutput(spec, 'up');
      await runtime.signal(spec, 'SIGTERM');
      await untilOutput(spec, 'got it');
      await runtime.kill(spec);
      assert.equal((await ended).code, 137);
      await runtime.removeSandbox('signals');
    });

    test('commands run inside a container, and their exit code comes back', async () => {
      const { spec } = run('exec', 'sleep 100');
      await untilPid(runtime, spec);
      const { env, user, workingDir } = spec;
      const child = runtime.exec(spec, {
        argv: ['sh', '-c', 'echo inside; exit 4'],
        env,
        user,
        workingDir,
        stdio: ['ignore', 'pipe', 'pipe'],
        hasTerminal: false,
      });
      assert.deepEqual(await finishCommand(child, 5000), { code: 4, output: 'inside\n' });
      await runtime.removeSandbox('exec');
    });

    test('another runtime takes over what runs, and learns of what ended', async () => {
      const first = run('adopt', 'sleep 0.3; exit 9');
      runtime.close();
      runtime = made.open();
      const ended = Promise.withResolvers<ProcessEnd>();
      runtime.adopt(first.spec, ended.resolve);
      assert.equal((await ended.promise).code, 9);
      const again = Promise.withResolvers<ProcessEnd>();
      runtime.adopt(first.spec, again.resolve);
      assert.equal((await again.promise).code, 9);
      await runtime.removeSandbox('adopt');
    });

    test('removing a sandbox ends everything in it', async () => {
      const { ended } = run('remove', 'sleep 100 & sleep 100');
      await runtime.removeSandbox('remove');
      assert.equal((await ended).code !== 0, true);
    });

    test('standard input can be written to', async () => {
      const { spec, ended } = run('stdin', 'read line; echo "read $line"', { hasStdin: true });
      const fd = openSync(`${made.layout.attempt(spec)}/stdin`, constants.O_WRONLY | constants.O_NONBLOCK);
      writeSync(fd, 'hello\n');
      closeSync(fd);
      assert.equal((await ended).code, 0);
      assert.equal(output(spec), 'read hello\n');
      await runtime.removeSandbox('stdin');
    });

    test('connecting to a port where nobody listens is refused', async () => {
      run('connect', 'sleep 100');
      const port = await freePort();
      await assert.rejects(runtime.connect('connect', made.podIp, port), { code: 'ECONNREFUSED' });
      await runtime.removeSandbox('connect');
    });
  });
}

async function untilPid(runtime: Runtime, spec: ProcessSpec): Promise<void> {
  for (const deadline = Date.now() + 5000; runtime.pidOf(spec) === undefined; await delay(2)) {
    if (Date.now() > deadline) throw new Error('the process did not start');
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 1));
    });
  });
}
