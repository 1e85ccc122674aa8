import { mkdirSync, readdirSync, readFileSync, renameSync, rmdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isErrno } from '../linux/errno.ts';
import { processStart } from '../linux/process-start.ts';
import type { SettingDefaults } from '../routing/settings.ts';
import type { NodeNetwork, PlaneName } from './dataplane.ts';
import type { PlaneSettings } from './open-plane.ts';

/**
 * What a proxy says of itself, for `fairlead status`, and for `fairlead trace` and `fairlead proxy diff`, which decide anew
 * what it decided: one file for each process, named after its network namespace too, removed when it ends.
 */
export interface RunRecord {
  /** Format of the file. */
  readonly version: 1;
  readonly pid: number;
  readonly processStart: string;
  readonly nodeName: string;
  readonly plane: PlaneName;
  /** Why this plane. */
  readonly reason: string;
  readonly network: NodeNetwork;
  readonly allowExternalIps: boolean;
  readonly defaults: SettingDefaults;
  readonly planeSettings: PlaneSettings;
}

const folder = '/run/fairlead';

/** Writes it whole or not at all, and takes away those of proxies that ended without doing so. Throws Node's file errors. */
export function writeRunRecord(record: Omit<RunRecord, 'version' | 'pid' | 'processStart'>): void {
  mkdirSync(folder, { recursive: true });
  for (const path of recordNames().map((name) => join(folder, name)))
    if (readRunning(path) === undefined) rmSync(path, { force: true });
  const whole: RunRecord = { version: 1, pid: process.pid, processStart: processStart(process.pid) ?? '', ...record };
  const path = ownPath();
  writeFileSync(`${path}.new`, `${JSON.stringify(whole)}\n`, { mode: 0o644 });
  renameSync(`${path}.new`, path);
}

/**
 * That of the proxy which runs in the thread's network namespace; of several, the one that was started last, as after an
 * upgrade. Undefined when none runs, or none that tells.
 */
export function readRunRecord(): RunRecord | undefined {
  if (process.platform !== 'linux') return undefined;
  const prefix = ownPrefix();
  const running = recordNames()
    .filter((name) => name.startsWith(prefix))
    .map((name) => readRunning(join(folder, name)))
    .filter((record) => record !== undefined);
  return running.sort((a, b) => Number(b.processStart) - Number(a.processStart) || b.pid - a.pid)[0];
}

/** Takes away this process's own. One of the same number in another container is not it. */
export function removeRunRecord(): void {
  const path = ownPath();
  if (readRunning(path) !== undefined) rmSync(path, { force: true });
  try {
    rmdirSync(folder);
  } catch (error) {
    if (!isErrno(error, 'ENOTEMPTY') && !isErrno(error, 'ENOENT')) throw error;
  }
}

function ownPrefix(): string {
  return `proxy-${statSync('/proc/thread-self/ns/net').ino}-`;
}

function ownPath(): string {
  return join(folder, `${ownPrefix()}${process.pid}.json`);
}

/** Names of all records, of whatever network namespace. */
function recordNames(): readonly string[] {
  try {
    return readdirSync(folder).filter((name) => /^proxy-[\d-]+\.json$/.test(name));
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return [];
    throw error;
  }
}

/** A record whose process still runs. */
function readRunning(path: string): RunRecord | undefined {
  try {
    const record = JSON.parse(readFileSync(path, 'utf8')) as RunRecord;
    const isOurs = record.version === 1 && processStart(record.pid) === record.processStart;
    return isOurs ? record : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || isErrno(error, 'ENOENT') || isErrno(error, 'EACCES')) return undefined;
    throw error;
  }
}
