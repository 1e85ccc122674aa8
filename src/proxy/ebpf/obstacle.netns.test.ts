import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { cgroupRoot } from '../../linux/cgroup.ts';
import { isolateNetwork } from '../../linux/namespaces.ts';
import { silentLogger } from '../../observe/log.ts';
import { network } from '../contract/worlds.ts';
import { choosePlane } from '../open-plane.ts';
import { ebpfObstacle } from './obstacle.ts';

isolateNetwork();

const root = cgroupRoot() ?? assert.fail('cgroup v2 is not mounted');
const folder = mkdtempSync(join(tmpdir(), 'fairlead-obstacle-'));
after(() => rmSync(folder, { recursive: true }));

test('nothing is in the way of the root of cgroup v2, and finding that out makes nothing', () => {
  const pinFolder = join(folder, 'bpf', 'pins');
  assert.equal(ebpfObstacle({ cgroup: root, pinFolder }), undefined);
  assert.ok(!existsSync(join(folder, 'bpf')));
});

const misplaced: readonly [string, RegExp][] = [
  ['/nonexist', /--cgroup: \/nonexist does not exist; name a folder in \/sys\/fs\/cgroup/],
  [folder, /--cgroup: .* is not a folder of cgroup v2; name a folder in .* or leave it out/],
  [join(root, 'cgroup.procs'), /cgroup\.procs is not a folder of cgroup v2/],
];
for (const [cgroup, why] of misplaced) {
  test(`the eBPF plane is refused at the start for --cgroup ${cgroup === folder ? 'of another file system' : cgroup}`, async () => {
    await assert.rejects(choosePlane('ebpf', { network, logger: silentLogger, cgroup }), {
      name: 'PlaneUnavailableError',
      message: why,
    });
  });
}

/** What is said where the bpf file system is as `mounting` makes it, with the privileges that are left. */
function obstacleWhere(mounting: string, capabilities: string): string {
  const script = `
    const { pinObstacle } = await import('${join(import.meta.dirname, '../../linux/bpf/pins.ts')}');
    console.log(pinObstacle('/sys/fs/bpf/fairlead/1'));`;
  const shell = `${mounting} && exec setpriv --bounding-set ${capabilities} "$0" --input-type=module -e "$1"`;
  const args = ['-m', 'sh', '-c', shell, process.execPath, script];
  return execFileSync('unshare', args, { encoding: 'utf8', timeout: 60_000 }).trim();
}

test('a bpf file system that cannot be used for pins is said, and one that can be mounted is none', () => {
  const none = 'mount -t tmpfs none /sys/fs/bpf';
  assert.equal(obstacleWhere(none, '+all'), 'undefined');
  assert.match(obstacleWhere(none, '-sys_admin'), /no bpf file system is mounted at \/sys\/fs\/bpf, and no privilege/);
  assert.equal(obstacleWhere('mount -t bpf none /sys/fs/bpf', '-sys_admin'), 'undefined');
  const readOnly = obstacleWhere('mount -t bpf -o ro none /sys/fs/bpf', '+all');
  assert.match(readOnly, /the bpf file system at \/sys\/fs\/bpf cannot be written to \(mounted read-only\)/);
});
