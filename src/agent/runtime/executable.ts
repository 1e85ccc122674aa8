import { accessSync, constants, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { StartError } from './runtime.ts';

/** The usual folders, and last that of the Node which runs Fairlead: servers in plain Node work on every machine. */
const defaultPath = `/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:${dirname(process.execPath)}`;

/** PATH and what else every container has before its own variables. */
export function baseEnv(hostname: string): ReadonlyMap<string, string> {
  return new Map([
    ['PATH', defaultPath],
    ['HOSTNAME', hostname],
    ['HOME', '/root'],
  ]);
}

/** Throws `StartError` in the words of runc when a program cannot be run from here. Looks where the thread is. */
export function checkExecutable(program: string, workingDir: string, env: ReadonlyMap<string, string>): void {
  if (!isFolder(workingDir))
    throw new StartError(`mkdir ${workingDir}: the working directory does not exist on this node`);
  const prefix = `unable to start container process: exec: "${program}":`;
  if (program.includes('/')) {
    const problem = problemOf(resolve(workingDir, program));
    if (problem !== undefined) throw new StartError(`${prefix} stat ${program}: ${problem}`);
    return;
  }
  const folders = (env.get('PATH') ?? defaultPath).split(':');
  if (folders.every((folder) => problemOf(join(folder, program)) !== undefined)) {
    throw new StartError(`${prefix} executable file not found in $PATH`);
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

function problemOf(path: string): string | undefined {
  try {
    if (!statSync(path).isFile()) return 'is a directory';
    accessSync(path, constants.X_OK);
    return undefined;
  } catch (error) {
    const isDenied = error instanceof Error && 'code' in error && error.code === 'EACCES';
    return isDenied ? 'permission denied' : 'no such file or directory';
  }
}
