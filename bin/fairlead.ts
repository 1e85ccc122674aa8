import { flushCompileCache } from 'node:module';
import type { CommandEntry, CommandIo } from '../src/cli/command.ts';
import { runProgram } from '../src/cli/program.ts';
import { watchSignals } from '../src/cli/signals.ts';

/** Every command of the program, in the order of `--help`. A command is loaded when it is asked for. */
const commands: readonly CommandEntry[] = [
  { group: 'System', name: 'up', load: () => import('../src/cli/up.ts') },
  { group: 'System', name: 'down', load: () => import('../src/cli/down.ts') },
  { group: 'Objects', name: 'get', load: () => import('../src/cli/get.ts') },
  { group: 'Objects', name: 'describe', load: () => import('../src/cli/describe.ts') },
  { group: 'Objects', name: 'apply', load: () => import('../src/cli/apply.ts') },
  { group: 'Objects', name: 'delete', load: () => import('../src/cli/delete.ts') },
  { group: 'Objects', name: 'scale', load: () => import('../src/cli/scale.ts') },
  { group: 'Objects', name: 'logs', load: () => import('../src/cli/logs.ts') },
  { group: 'Objects', name: 'exec', load: () => import('../src/cli/exec.ts') },
  { group: 'Understand', name: 'dig', load: () => import('../src/cli/dig.ts') },
  { group: 'Understand', name: 'trace', load: () => import('../src/cli/trace.ts') },
  { group: 'Understand', name: 'proxy dump', load: () => import('../src/cli/proxy-dump.ts') },
  { group: 'Understand', name: 'proxy diff', load: () => import('../src/cli/proxy-diff.ts') },
  { group: 'Understand', name: 'status', load: () => import('../src/cli/status.ts') },
  { group: 'Understand', name: 'doctor', load: () => import('../src/cli/doctor.ts') },
  { group: 'Components', name: 'server', load: () => import('../src/cli/server.ts') },
  { group: 'Components', name: 'controllers', load: () => import('../src/cli/controllers.ts') },
  { group: 'Components', name: 'agent', load: () => import('../src/cli/agent.ts') },
  { group: 'Components', name: 'proxy', load: () => import('../src/cli/proxy.ts') },
  { group: 'Components', name: 'dns', load: () => import('../src/cli/dns.ts') },
  { group: 'Components', name: 'dns check', load: () => import('../src/cli/dns-check.ts') },
  { group: 'Components', name: 'dns import', load: () => import('../src/cli/dns-import.ts') },
  { group: 'About', name: 'version', load: () => import('../src/cli/version.ts') },
];

// Meant for this process alone, not for the programs it starts.
delete process.env['NODE_COMPILE_CACHE'];
// Else only a process that ends by itself leaves compiled code for the next start, which then needs 40 MB less.
setTimeout(flushCompileCache, 5_000).unref();

const signals = watchSignals(process);
// The reader of a pipe has gone (`fairlead get pods | head -1`): there is nobody left to tell.
process.stdout.on('error', () => process.exit(0));

const io: CommandIo = {
  stdin: () => process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  cwd: process.cwd(),
  uid: process.geteuid?.() ?? -1,
  signal: signals.signal,
  takeSignals: signals.take,
  connect: async (...request) => (await import('../src/cli/open-connection.ts')).openConnection(...request),
};
const code = await runProgram(commands, process.argv.slice(2), io);
// Keep-alive connections would hold the process open; streams are flushed first.
process.stdout.write('', () => process.stderr.write('', () => process.exit(code)));
