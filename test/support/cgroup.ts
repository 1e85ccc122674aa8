import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cgroupRoot } from '../../src/linux/cgroup.ts';

/** A cgroup of the test's own, which its process and everything it starts are in. */
export interface TestCgroup extends Disposable {
  readonly path: string;
}

/** Makes a cgroup below the process's own and moves the process there; disposing moves it back and takes it away. */
export function enterTestCgroup(): TestCgroup {
  const root = cgroupRoot();
  assert.ok(root !== undefined, 'cgroup v2 is not mounted');
  const own = /^0::(.*)$/m.exec(readFileSync('/proc/self/cgroup', 'utf8'))?.[1] ?? '/';
  const home = join(root, own);
  const path = join(home, `fairlead-test-${process.pid}`);
  mkdirSync(path);
  writeFileSync(join(path, 'cgroup.procs'), `${process.pid}`);
  return {
    path,
    [Symbol.dispose]() {
      writeFileSync(join(home, 'cgroup.procs'), `${process.pid}`);
      rmdirSync(path);
    },
  };
}
