import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { BackOff, Exit } from '../pod/state.ts';
import type { Layout } from '../runtime/layout.ts';

/** What the agent must know of a Pod after a restart, in `pods/UID/pod.json`. */
export interface PodRecord {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly ip: string;
  readonly hostname: string;
  readonly isHostNetwork: boolean;
  readonly startedMs: number;
}

/** The same of a container, in `pods/UID/containers/NAME/state.json`. */
export interface ContainerRecord {
  readonly restarts: number;
  readonly id: string;
  readonly startedMs: number;
  /** Set once it has ended. */
  readonly exit?: Exit;
  readonly last?: Exit;
  readonly backOff?: BackOff;
}

export function savePod(layout: Layout, record: PodRecord): void {
  save(join(layout.pod(record.uid), 'pod.json'), record);
}

export function loadPod(layout: Layout, uid: string): PodRecord | undefined {
  return load(join(layout.pod(uid), 'pod.json')) as PodRecord | undefined;
}

export function saveContainer(layout: Layout, uid: string, name: string, record: ContainerRecord): void {
  save(join(layout.containers(uid), name, 'state.json'), record);
}

export function loadContainer(layout: Layout, uid: string, name: string): ContainerRecord | undefined {
  return load(join(layout.containers(uid), name, 'state.json')) as ContainerRecord | undefined;
}

/** Forgets what ran before, for a Pod whose surroundings are gone (the machine was started anew). */
export function forgetContainers(layout: Layout, uid: string): void {
  rmSync(layout.containers(uid), { recursive: true, force: true });
}

function save(path: string, value: unknown): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.new`, JSON.stringify(value));
  renameSync(`${path}.new`, path);
}

function load(path: string): unknown {
  if (!existsSync(path)) return undefined;
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}
