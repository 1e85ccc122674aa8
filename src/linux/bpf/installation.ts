import { closeSync, existsSync, openSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { BpfObject, MapDefinition } from './elf.ts';
import { adoptMap, type BpfMap, createMap } from './map.ts';
import { makePinFolder, openPinned, pin, removePinFolder, unpin } from './pins.ts';
import { createLink, detachLink, isLinkAt, loadProgram, updateLink } from './program.ts';

/** Where the programs of an object are in force, and where they and their maps are pinned. */
export interface InstallationPlace {
  readonly object: BpfObject;
  /** A cgroup v2 folder: its processes are served. */
  readonly cgroup: string;
  /** In a bpf file system; maps are pinned under their names, links as `link-NAME`. */
  readonly folder: string;
}

/** The maps of programs that are attached to a cgroup. What is pinned stays in force without a process. */
export type InstalledMaps = Readonly<Record<string, BpfMap>>;

/**
 * Brings the object's programs into force with the maps that are pinned, or new ones. `sizes` are the entries that maps
 * without a size must hold at least: a smaller one gives its entries to a new one. A program that is in force is replaced
 * without a gap. Maps of another version are not taken over: the new programs begin with empty ones.
 */
export function install(place: InstallationPlace, sizes: Readonly<Record<string, number>>): InstalledMaps {
  makePinFolder(place.folder);
  const pinned = openPinnedMaps(place);
  const fresh = new Set<string>();
  const maps: Record<string, BpfMap> = {};
  for (const definition of place.object.maps) {
    const { name } = definition;
    const entries = sizes[name] ?? definition.maxEntries;
    const old = pinned?.[name];
    if (old !== undefined && old.definition.maxEntries >= entries) {
      maps[name] = old;
      continue;
    }
    const map = createMap({ ...definition, maxEntries: entries }, possibleProcessors());
    if (old !== undefined) map.update(old.entries());
    old?.[Symbol.dispose]();
    maps[name] = map;
    fresh.add(name);
  }
  attach(place, maps, fresh);
  return maps;
}

/** Whether everything that was installed is still pinned. */
export function isInstalled({ object, folder }: InstallationPlace): boolean {
  const pinned = new Set(existsSync(folder) ? readdirSync(folder) : []);
  return [...namesIn(object)].every((name) => pinned.has(name));
}

/** Brings the programs into force again with maps that are open, after someone took their pins away. */
export function reinstall(place: InstallationPlace, maps: InstalledMaps): void {
  makePinFolder(place.folder);
  attach(place, maps, new Set(Object.keys(maps)));
}

/** The maps that are pinned; undefined when any of the object's is missing or of another kind. */
export function openPinnedMaps(place: InstallationPlace): InstalledMaps | undefined {
  const maps: Record<string, BpfMap> = {};
  for (const definition of place.object.maps) {
    const map = openMap(place, definition);
    if (map === undefined) {
      closeMaps(maps);
      return undefined;
    }
    maps[definition.name] = map;
  }
  return maps;
}

/** One of the maps that are pinned; undefined when it is missing or of another kind. */
export function openPinnedMap(place: InstallationPlace, name: string): BpfMap | undefined {
  const definition = place.object.maps.find((each) => each.name === name);
  return definition && openMap(place, definition);
}

export function closeMaps(maps: InstalledMaps): void {
  for (const map of Object.values(maps)) map[Symbol.dispose]();
}

/** Takes programs of the object out of force: those that `isMeant` says yes to. Without effect when they are not. */
export function detach({ object, folder }: InstallationPlace, isMeant: (name: string) => boolean = () => true): void {
  for (const { name } of object.programs.filter((program) => isMeant(program.name))) {
    const path = join(folder, linkName(name));
    const link = openPinned(path);
    if (link === undefined) continue;
    // A link that only loses its last name is in force until the kernel has time for it.
    detachLink(link);
    closeSync(link);
    unpin(path);
  }
}

/** Takes everything away that is in the folder: programs first. */
export function removeInstallation(place: InstallationPlace): void {
  if (!existsSync(place.folder)) return;
  detach(place);
  for (const name of readdirSync(place.folder)) unpin(join(place.folder, name));
  removePinFolder(place.folder);
}

function attach(place: InstallationPlace, maps: InstalledMaps, fresh: ReadonlySet<string>): void {
  const { object, folder } = place;
  for (const program of object.programs) {
    const fd = loadProgram(object, program, maps);
    try {
      putInForce(place, program.name, fd);
    } finally {
      closeSync(fd);
    }
  }
  for (const [name, { fd }] of Object.entries(maps)) if (fresh.has(name)) pin(fd, join(folder, name));
  // What another version had beyond that.
  const known = namesIn(object);
  for (const name of readdirSync(folder)) if (!known.has(name)) unpin(join(folder, name));
}

function putInForce({ cgroup, folder }: InstallationPlace, name: string, programFd: number): void {
  const path = join(folder, linkName(name));
  const pinned = openPinned(path);
  try {
    // A link to a cgroup that is gone, or was another's, is of no use.
    if (pinned !== undefined && isLinkAt(pinned, name, cgroupId(cgroup))) {
      updateLink(pinned, programFd);
      return;
    }
  } finally {
    if (pinned !== undefined) closeSync(pinned);
  }
  const cgroupFd = openSync(cgroup, 'r');
  const link = createLink(programFd, cgroupFd, name);
  closeSync(cgroupFd);
  pin(link, path);
  closeSync(link);
}

function openMap({ folder }: InstallationPlace, definition: MapDefinition): BpfMap | undefined {
  const fd = openPinned(join(folder, definition.name));
  if (fd === undefined) return undefined;
  const map = adoptMap(fd, definition, possibleProcessors());
  if (map === undefined) closeSync(fd);
  return map;
}

/** What an object has in its folder. */
function namesIn({ maps, programs }: BpfObject): Set<string> {
  return new Set([...maps.map(({ name }) => name), ...programs.map(({ name }) => linkName(name))]);
}

function linkName(program: string): string {
  return `link-${program}`;
}

/** The kernel's number of a cgroup is its folder's inode. */
function cgroupId(cgroup: string): bigint {
  return statSync(cgroup, { bigint: true }).ino;
}

/** How many processors this machine may ever have: per-processor maps have a value for each. */
export function possibleProcessors(): number {
  const text = readFileSync('/sys/devices/system/cpu/possible', 'utf8').trim();
  const last = Number(text.split(/[,-]/).at(-1));
  return last + 1;
}

/** Loads everything and lets it go: throws what the kernel has against it. */
export function tryObject(object: BpfObject): void {
  const maps = Object.fromEntries(
    object.maps.map((each) => [
      each.name,
      createMap({ ...each, maxEntries: each.maxEntries || 1 }, possibleProcessors()),
    ]),
  );
  try {
    for (const program of object.programs) closeSync(loadProgram(object, program, maps));
  } finally {
    closeMaps(maps);
  }
}
