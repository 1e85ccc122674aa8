import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cgroupRoot } from '../../linux/cgroup.ts';
import type { Dataplane, NodeNetwork } from '../dataplane.ts';
import { openEbpfPlane } from './plane.ts';

/** What the tests of this plane share: a cgroup that their process is in, and planes that serve it. */
export interface EbpfPlace extends AsyncDisposable {
  readonly options: { readonly cgroup: string; readonly pinFolder: string };
  /** A plane as a new process opens it. Closed at the end, when what is in force is taken away too. */
  open(network: NodeNetwork): Dataplane;
}

/** Moves the process into a cgroup of its own until the end. */
export function enterEbpfPlace(): EbpfPlace {
  const { cgroup, leave } = enterCgroup();
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-ebpf-'));
  const options = { cgroup, pinFolder: join(folder, 'bpf', 'pins') };
  const planes: Dataplane[] = [];
  const open = (network: NodeNetwork): Dataplane => {
    const plane = openEbpfPlane({ ...options, network });
    planes.push(plane);
    return plane;
  };
  return {
    options,
    open,
    async [Symbol.asyncDispose]() {
      for (const plane of planes) await plane.close();
      await open(noNetwork).remove();
      leave();
      rmSync(folder, { recursive: true });
    },
  };
}

const noNetwork: NodeNetwork = { podCidrs: [], clusterCidrs: [], serviceCidrs: [], nodePortAddresses: [] };

/** Makes a cgroup below the process's own and moves the process there; `leave` moves it back and takes it away. */
export function enterCgroup(): { readonly cgroup: string; readonly leave: () => void } {
  const own = /^0::(.*)$/m.exec(readFileSync('/proc/self/cgroup', 'utf8'))?.[1] ?? '/';
  const home = join(cgroupRoot() ?? assert.fail('cgroup v2 is not mounted'), own);
  const cgroup = join(home, `fairlead-test-${process.pid}`);
  mkdirSync(cgroup);
  const move = (folder: string) => writeFileSync(join(folder, 'cgroup.procs'), `${process.pid}`);
  move(cgroup);
  return {
    cgroup,
    leave() {
      move(home);
      rmdirSync(cgroup);
    },
  };
}
