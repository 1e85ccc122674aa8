import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { AttemptRef } from './runtime.ts';

/** Paths inside the agent's folder. */
export interface Layout {
  readonly root: string;
  /** Identifies this data folder among others on the machine: 8 hexadecimal digits. */
  readonly hash: string;
  readonly pods: string;
  pod(uid: string): string;
  network(uid: string): string;
  containers(uid: string): string;
  attempt(ref: AttemptRef): string;
}

export function layoutOf(dataDir: string): Layout {
  const pods = join(dataDir, 'pods');
  return {
    root: dataDir,
    hash: shortHash(dataDir),
    pods,
    pod: (uid) => join(pods, uid),
    network: (uid) => join(pods, uid, 'netns'),
    containers: (uid) => join(pods, uid, 'containers'),
    attempt: ({ podUid, container, attempt }) => join(pods, podUid, 'containers', container, String(attempt)),
  };
}

/** Eight hexadecimal digits that stand for a text. */
export function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8);
}
