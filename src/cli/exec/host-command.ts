import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { CommandError } from '../command-error.ts';
import type { TerminationSignal } from '../signals.ts';
import type { CommandIo } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import type { ExitCode } from '../exit-codes.ts';

/** Files that a program sees instead of the host's, by path. */
export type ReplacedFiles = Readonly<Record<string, string>>;

type HostIo = Pick<CommandIo, 'env' | 'uid' | 'cwd' | 'takeSignals' | 'stdin'>;

/**
 * Runs a program of the host that sees other contents in some files, in a mount namespace of its own; the host's files
 * never change. Returns the program's exit code, or 128 and the signal that ended it. Throws `CommandError`.
 */
export async function runWithFiles(command: readonly string[], files: ReplacedFiles, io: HostIo): Promise<ExitCode> {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-exec-'));
  const pairs = Object.entries(files).map(([target, text], i) => {
    const source = join(folder, String(i));
    writeFileSync(source, text);
    return { source, target };
  });
  // Before anything is started: a signal that comes meanwhile must not be lost.
  using signals = passSignals(io);
  try {
    const child = io.uid === 0 ? await spawnAsRoot(command, pairs, io) : spawnAsUser(command, pairs, folder, io);
    // The mounts hold the files; nothing stays behind when we are killed.
    if (io.uid === 0) rmSync(folder, { recursive: true });
    signals.sendTo(child);
    return await waitFor(child, command[0] ?? '');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Replacement {
  readonly source: string;
  readonly target: string;
}

async function spawnAsRoot(
  command: readonly string[],
  pairs: readonly Replacement[],
  io: HostIo,
): Promise<ChildProcess> {
  const [{ inNewMountNamespace }, { bindMount }] = await Promise.all([
    import('../../linux/namespaces.ts'),
    import('../../linux/mounts.ts'),
  ]);
  return inNewMountNamespace(() => {
    for (const { source, target } of pairs) bindMount(source, target);
    return start(command, io);
  });
}

/** Mounts as root of a user namespace, then becomes the user again in a second one, so that the program sees itself. */
const userScript = `
folder=$1 count=$2 uid=$3 gid=$4
shift 4
while [ "$count" -gt 0 ]; do
  mount --bind "$1" "$2" || exit 126
  shift 2
  count=$((count - 1))
done
rm -rf "$folder"
exec unshare --user --map-user="$uid" --map-group="$gid" -- "$@"
`;

function spawnAsUser(
  command: readonly string[],
  pairs: readonly Replacement[],
  folder: string,
  io: HostIo,
): ChildProcess {
  requireUserNamespaces();
  const mounts = pairs.flatMap(({ source, target }) => [source, target]);
  const ids = [String(io.uid), String(process.getgid?.() ?? io.uid)];
  const script = ['sh', '-c', userScript, 'fairlead-exec', folder, String(pairs.length), ...ids, ...mounts, ...command];
  return start(['unshare', '--user', '--map-root-user', '--mount', '--', ...script], io);
}

/** Some distributions keep user namespaces from ordinary users. */
function requireUserNamespaces(): void {
  const forbidden = [
    { file: '/proc/sys/user/max_user_namespaces', value: '0' },
    { file: '/proc/sys/kernel/unprivileged_userns_clone', value: '0' },
    { file: '/proc/sys/kernel/apparmor_restrict_unprivileged_userns', value: '1' },
  ].find(({ file, value }) => existsSync(file) && readFileSync(file, 'utf8').trim() === value);
  if (forbidden === undefined) return;
  const name = forbidden.file.slice('/proc/sys/'.length).replaceAll('/', '.');
  throw new CommandError(`this system does not let ordinary users make namespaces (${name} = ${forbidden.value})`, {
    code: exitCodes.unsupported,
    hint: 'run it with sudo, or ask the cluster DNS yourself: fairlead dig NAME',
  });
}

function start([file = '', ...args]: readonly string[], io: HostIo): ChildProcess {
  const { LOCALDOMAIN: _, RES_OPTIONS: __, ...env } = io.env;
  return spawn(file, args, { stdio: 'inherit', env, cwd: io.cwd });
}

/** Passes signals on to the program; those that come before it is there, when it is. */
function passSignals(io: HostIo): Disposable & { sendTo(child: ChildProcess): void } {
  // A terminal sends its Ctrl-C to the program as well; a second copy from here would look like an impatient user.
  const onTerminal = io.stdin().isTTY === true;
  const early: TerminationSignal[] = [];
  let program: ChildProcess | undefined;
  const taken = io.takeSignals((signal) => {
    if (onTerminal && signal !== 'SIGTERM' && signal !== 'SIGHUP') return;
    if (program === undefined) early.push(signal);
    else program.kill(signal);
  });
  return {
    sendTo(child) {
      program = child;
      for (const signal of early) child.kill(signal);
    },
    [Symbol.dispose]: () => taken[Symbol.dispose](),
  };
}

async function waitFor(child: ChildProcess, name: string): Promise<ExitCode> {
  try {
    const [code, signal]: (number | NodeJS.Signals | null)[] = await once(child, 'exit');
    if (typeof code === 'number') return code;
    return 128 + (typeof signal === 'string' ? constants.signals[signal] : 0);
  } catch (cause) {
    throw notStarted(name, cause);
  }
}

function notStarted(name: string, cause: unknown): CommandError {
  const code = cause instanceof Error && 'code' in cause ? cause.code : '';
  if (code === 'ENOENT')
    return new CommandError(`${name}: no such program`, { code: exitCodes.commandNotFound, cause });
  return new CommandError(`${name}: cannot be started: ${cause instanceof Error ? cause.message : cause}`, {
    code: exitCodes.cannotExecute,
    cause,
  });
}
