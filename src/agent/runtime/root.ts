import {
  accessSync,
  closeSync,
  constants,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { basename, dirname, join, sep } from 'node:path';
import { bindMount, mount, mountFlags } from '../../linux/mounts.ts';
import type { BindMount } from './runtime.ts';
import { StartError } from './runtime.ts';

/**
 * Builds the file system that a container sees, under `root`, in the thread's new mount namespace: the host's, entry by
 * entry, with `mounts` on top.
 *
 * A mount point that the host does not have is never made on the host. In `/` it is made in `root` itself; elsewhere the
 * nearest folder that exists is covered by an overlay (upper layer in memory) that has it.
 */
export function buildRoot(root: string, mounts: readonly BindMount[], isReadOnly: boolean): void {
  rmSync(root, { recursive: true, force: true });
  mkdirSync(root, { recursive: true });
  bindMount(root, root);
  const own = new Set<string>([root]);
  for (const entry of readdirSync('/', { withFileTypes: true })) {
    const target = join(root, entry.name);
    if (entry.isSymbolicLink()) symlinkSync(readlinkSync(`/${entry.name}`), target);
    else if (entry.isDirectory()) mirror(`/${entry.name}`, target);
  }
  const covers = coverMaker(root, own);
  for (const each of [...mounts].sort((a, b) => depth(a.target) - depth(b.target))) place(root, each, own, covers);
  if (isReadOnly) protectTop(root);
}

function mirror(source: string, target: string): void {
  mkdirSync(target);
  mount({ source, target, flags: mountFlags.bind | mountFlags.recursive });
}

/** `readOnlyRootFilesystem`: everything but kernel file systems, /tmp and what is mounted on top. */
function protectTop(root: string): void {
  for (const name of readdirSync(root).filter((each) => !['proc', 'sys', 'dev', 'tmp', 'run'].includes(each))) {
    const target = join(root, name);
    if (lstatSync(target).isDirectory()) mount({ source: 'none', target, flags: readOnlyAgain });
  }
}

const readOnlyAgain = mountFlags.bind | mountFlags.remount | mountFlags.readOnly;

function place(root: string, { source, target, isReadOnly }: BindMount, own: Set<string>, cover: Cover): void {
  const at = resolveIn(root, target);
  const isFolder = statSync(source).isDirectory();
  if (!exists(at)) makeMountPoint(at, isFolder, own, cover);
  mount({ source, target: at, flags: mountFlags.bind | mountFlags.recursive });
  if (isReadOnly) mount({ source: 'none', target: at, flags: readOnlyAgain });
  own.add(at);
}

type Cover = (folder: string) => void;

function makeMountPoint(at: string, isFolder: boolean, own: Set<string>, cover: Cover): void {
  const folder = nearestFolder(at);
  if (!isOwn(folder, own)) {
    cover(folder);
    own.add(folder);
  }
  mkdirSync(isFolder ? at : dirname(at), { recursive: true });
  if (!isFolder) closeSync(openSync(at, 'a'));
}

/** Whether files made in `folder` stay in the container: the root itself, a cover or a volume, or something below. */
function isOwn(folder: string, own: ReadonlySet<string>): boolean {
  const root = [...own][0] ?? '';
  if (folder === root) return true;
  return [...own].some((each) => each !== root && (folder === each || folder.startsWith(each + sep)));
}

/** Covers folders by overlays whose upper layers are in one memory file system, made when first needed. */
function coverMaker(root: string, own: ReadonlySet<string>): Cover {
  const layers = join(dirname(root), `${basename(root)}-layers`);
  let count = 0;
  return (folder) => {
    if (count === 0) {
      mkdirSync(layers, { recursive: true });
      mount({ source: 'tmpfs', target: layers, type: 'tmpfs', data: 'mode=0755' });
    }
    const upper = join(layers, `${count}-upper`);
    const work = join(layers, `${count++}-work`);
    mkdirSync(upper, { mode: statSync(folder).mode });
    mkdirSync(work);
    try {
      mount({
        source: 'overlay',
        target: folder,
        type: 'overlay',
        data: `lowerdir=${folder},upperdir=${upper},workdir=${work}`,
      });
    } catch (error) {
      const cause = `cannot make mount points in ${folder.slice([...own][0]?.length ?? 0)}`;
      throw new StartError(`${cause}: the kernel refused an overlay on it`, { cause: error });
    }
  };
}

function nearestFolder(path: string): string {
  let folder = dirname(path);
  while (!exists(folder)) folder = dirname(folder);
  return folder;
}

function exists(path: string): boolean {
  try {
    accessSync(path, constants.F_OK);
    return true;
  } catch {
    return false;
  }
}

function depth(path: string): number {
  return path.split('/').length;
}

/** The place of an absolute path below `root`, links followed as a process inside would follow them. */
export function resolveIn(root: string, path: string): string {
  let todo = path.split('/').filter((part) => part !== '' && part !== '.');
  let done: string[] = [];
  for (let steps = 0; todo.length > 0; steps++) {
    if (steps > 255) throw new StartError(`too many symbolic links in ${path}`);
    const [part = '', ...rest] = todo;
    todo = rest;
    if (part === '..') {
      done = done.slice(0, -1);
      continue;
    }
    const link = linkAt(join(root, ...done, part));
    if (link === undefined) done = [...done, part];
    else {
      if (link.startsWith('/')) done = [];
      todo = [...link.split('/').filter((each) => each !== '' && each !== '.'), ...todo];
    }
  }
  return join(root, ...done);
}

function linkAt(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}
