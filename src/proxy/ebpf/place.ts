import { existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { detach, type InstallationPlace, removeInstallation } from '../../linux/bpf/installation.ts';
import { socketObject } from '../../linux/bpf/socket-object.ts';
import { cgroupRoot } from '../../linux/cgroup.ts';
import { networkCookie } from '../../linux/network-cookie.ts';
import { retiresNoMore } from '../dataplane.ts';
import { hasOpenSockets } from './socket-flows.ts';

/** How often it is looked whether sockets still need the programs of a plane that retires. */
const retiringMs = 500;

export interface SocketPlaceOptions {
  /** A cgroup v2 folder: only processes in it are served. The root of cgroup v2 by default: all of them. */
  readonly cgroup?: string;
  /**
   * Where maps and programs are pinned: each plane has its own. By default a folder in `/sys/fs/bpf/fairlead` that is
   * named after the thread's network namespace.
   */
  readonly pinFolder?: string;
}

/** Where the socket programs are in force. Throws an Error without cgroup v2. */
export function socketPlace({
  cgroup = cgroupRoot(),
  pinFolder = defaultFolder(),
}: SocketPlaceOptions): InstallationPlace {
  if (cgroup === undefined) throw new Error('cgroup v2 is not mounted');
  return { object: socketObject(), cgroup, folder: pinFolder };
}

/** The number of a network namespace is never used again, so what another node on this machine left is not ours. */
function defaultFolder(): string {
  return `/sys/fs/bpf/fairlead/${networkCookie()}`;
}

/** Whether the programs of this network namespace's node are there. */
export function hasSocketPrograms(): boolean {
  return existsSync(defaultFolder());
}

/**
 * Takes the programs out of force for new calls, keeps the way back for as long as UDP sockets need it or until the
 * signal aborts, and takes everything away. Needs no knowledge of Services; without effect when nothing is there.
 */
export async function retireSocketPrograms(place: InstallationPlace, signal: AbortSignal): Promise<void> {
  if (!existsSync(place.folder)) return;
  detach(place, (name) => /^(connect|sendmsg)/.test(name));
  while (!signal.aborted && hasOpenSockets(place)) {
    await delay(retiringMs, undefined, { signal }).catch(() => undefined);
  }
  if (signal.reason !== retiresNoMore) removeInstallation(place);
}
