import { spawn, spawnSync, type StdioOptions } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';

/**
 * Runs programs inside a kernel that has what the machine's own may lack (IPVS, dummy links, SCTP sockets): Debian's
 * User-Mode Linux 6.1, an ordinary process, with nftables added (`modules.sh`).
 *
 * The program sees this machine's files at their own paths and is root. What it writes stays in memory and is gone
 * afterwards; the network is empty but for `lo`. Expect system calls to be ten times slower than outside.
 *
 *     const { status, output } = await bootUml({ command: [process.execPath, 'bench/x.ts'], timeoutMs: 60_000 });
 */
export interface UmlRun {
  /** Program and arguments; the program by absolute path. */
  readonly command: readonly string[];
  /** Working folder; the repository without it. */
  readonly cwd?: string;
  /** After this the kernel is ended and `status` is undefined. */
  readonly timeoutMs: number;
  /** Of the kernel, and with it of everything inside: 1,024 without it. */
  readonly memoryMb?: number;
  /** Each line of output as it comes. */
  readonly onLine?: (line: string) => void;
}

export interface UmlResult {
  /** The program's exit status; undefined when the kernel ended without one (panic, hang). */
  readonly status: number | undefined;
  /** What the program wrote to standard output and standard error. */
  readonly output: string;
  /** What the kernel and its first process said: for when something went wrong. */
  readonly console: string;
}

const repository = resolve(import.meta.dirname, '../..');
const kernel = '/usr/bin/linux.uml';
const modulesScript = join(import.meta.dirname, 'modules.sh');

/** Why User-Mode Linux cannot run here; undefined when it can. */
export function umlObstacle(): string | undefined {
  if (process.arch !== 'x64') return `Debian has User-Mode Linux for x64 only, and this is ${process.arch}`;
  if (!existsSync(kernel)) return `${kernel} is not there (Debian package user-mode-linux)`;
  return undefined;
}

/** Throws when the kernel's modules cannot be made. */
export async function bootUml(run: UmlRun): Promise<UmlResult> {
  const modules = readyModules();
  // Kernel parameters cannot contain spaces, which the repository's path may.
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-uml-'));
  try {
    const line = run.command.map(quoted).join(' ');
    const script = `#!/bin/sh\ncd ${quoted(run.cwd ?? repository)} && exec ${line}\n`;
    writeFileSync(join(folder, 'command'), script, { mode: 0o755 });
    copyFileSync(join(import.meta.dirname, 'init.sh'), join(folder, 'init.sh'));
    symlinkSync(modules, join(folder, 'modules'));
    return await boot(run, folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/**
 * The folder with the kernel's modules, made at the first use of this version of its script, which needs Debian's package
 * server. Throws when they cannot be made.
 */
export function readyModules(): string {
  const version = createHash('sha256').update(readFileSync(modulesScript)).digest('hex').slice(0, 12);
  const target = join(repository, 'node_modules/.cache', `uml-${version}`);
  const made = spawnSync('sh', [modulesScript, target], { encoding: 'utf8' });
  if (made.status !== 0) throw new Error(`the modules of User-Mode Linux cannot be made: ${made.stderr}`);
  return target;
}

async function boot({ timeoutMs, memoryMb = 1024, onLine }: UmlRun, folder: string): Promise<UmlResult> {
  const root = 'root=/dev/root rootfstype=hostfs rootflags=/ ro';
  const consoles = 'con=null con0=null,fd:1 con1=null,fd:3 quiet';
  const parameters = `mem=${memoryMb}M ${root} ${consoles} uml_dir=${folder} init=/bin/sh -- ${folder}/init.sh ${folder}`;
  const stdio: StdioOptions = ['ignore', 'pipe', 'pipe', 'pipe'];
  const child = spawn(kernel, parameters.split(' '), { stdio, detached: true });
  const messages: string[] = [];
  const lines: string[] = [];
  const timer = setTimeout(() => {
    messages.push(`ended after ${timeoutMs / 1000} s`);
    // Its helper processes are in its group, and nobody else is.
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  }, timeoutMs);
  const ended = new Promise<void>((done, fail) => child.once('error', fail).once('close', () => done()));
  follow(child.stdio[1], (line) => messages.push(line));
  follow(child.stdio[2], (line) => messages.push(line));
  follow(child.stdio[3], (line) => {
    lines.push(line);
    onLine?.(line);
  });
  await ended.finally(() => clearTimeout(timer));
  const said = messages.join('\n');
  const status = /^fairlead-uml: ended with (\d+)/m.exec(said)?.[1];
  return { status: status === undefined ? undefined : Number(status), output: lines.join('\n'), console: said };
}

function follow(stream: unknown, visit: (line: string) => void): void {
  if (stream instanceof Readable) createInterface({ input: stream }).on('line', visit);
}
