import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { processStart } from '../linux/process-start.ts';

/**
 * What a running `fairlead up` says of itself in `<data>/run.json`, for `status`, `down`, `exec` and `dig`. It is written
 * when the system is ready and removed at its end; after a crash it stays, and tells what was there.
 */
export interface RunFile {
  /** Format of this file. */
  readonly version: 1;
  readonly pid: number;
  /** Start time of that process from `/proc/PID/stat` (clock ticks since boot): guards against a reused pid. */
  readonly processStart: string;
  readonly startedAt: string;
  readonly fairleadVersion: string;
  readonly dataDir: string;
  /** The data folder was named with `--data` and outlives `down`. */
  readonly keepsData: boolean;
  readonly mode: 'root' | 'rootless';
  readonly nodeName: string;
  readonly api: string;
  readonly kubeconfig: string;
  readonly clusterDomain: string;
  readonly dns: {
    /** The Service's address: what Pods use. */
    readonly clusterAddress: string;
    /** Where the host can ask, `address:port`. */
    readonly hostAddress: string;
  };
  readonly plane: { readonly name: string; readonly reason: string };
  /** Addresses that this run gave itself. */
  readonly network: { readonly podCidr: string; readonly serviceCidr: string; readonly gateway: string };
}

const fileName = 'run.json';

/** The run file of a data folder; undefined when there is none. Throws when it is not readable or not one of ours. */
export function readRunFile(dataDir: string): RunFile | undefined {
  const path = join(dataDir, fileName);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
  const parsed: unknown = JSON.parse(text);
  if (typeof parsed !== 'object' || parsed === null || !('version' in parsed) || parsed.version !== 1) {
    throw new Error(
      `${path} was not written by this version of Fairlead; run \`fairlead down\` of the version that wrote it`,
    );
  }
  return parsed as RunFile;
}

/** Writes it whole or not at all. */
export function writeRunFile(file: RunFile): void {
  const path = join(file.dataDir, fileName);
  writeFileSync(`${path}.new`, `${JSON.stringify(file, undefined, 2)}\n`, { mode: 0o644 });
  renameSync(`${path}.new`, path);
}

export function removeRunFile(dataDir: string): void {
  rmSync(join(dataDir, fileName), { force: true });
}

/** Whether the process that wrote the file still runs. */
export function isRunning(file: Pick<RunFile, 'pid' | 'processStart'>): boolean {
  return processStart(file.pid) === file.processStart;
}
