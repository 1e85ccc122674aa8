import { closeSync, openSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { BpfObject, MapDefinition } from './elf.ts';
import { adoptMap, type BpfMap, createMap } from './map.ts';
import { makePinFolder, openPinned, pin, removePinFolder, unpin } from './pins.ts';
import { createLink, isLinkAt, loadProgram, updateLink } from './program.ts';

/** Where the programs of an object are in force, and where they and their maps are pinned. */
export interface InstallationPlace {
  readonly object: BpfObject;
  /** A cgroup v2 folder: its processes are served. */
  readonly cgroup: string;
  /** In a bpf file system; maps are pinned under their names, links as `link-NAME`. */
  readonly folder: string;
}

/** Programs attached to a cgroup, and their maps. What is pinned stays in force without a process. */
export interface Installation {
  readonly maps: Readonly<Record<string, BpfMap>>;
  /** Maps that were made now, because there were none, or others than the object wants, or smaller ones. */
  readonly fresh: ReadonlySet<string>;
  /**
   * Brings the object's programs, with these maps, into force. A program that is in force is replaced without a gap; maps
   * that were in use before stay until then.
   */
  attach(): void;
  close(): void;
}

/** Opens what is pinned and makes what is missing. `sizes` are the entries that maps without a size must hold at least. */
export function openInstallation(place: InstallationPlace, sizes: Readonly<Record<string, number>>): Installation {
  makePinFolder(place.folder);
  const fresh = new Set<string>();
  const maps: Record<string, BpfMap> = {};
  for (const definition of place.object.maps) {
    const entries = sizes[definition.name] ?? definition.maxEntries;
    const pinned = openMap(place, definition);
    if (pinned !== undefined && pinned.definition.maxEntries >= entries) {
      maps[definition.name] = pinned;
      continue;
    }
    pinned?.[Symbol.dispose]();
    maps[definition.name] = createMap({ ...definition, maxEntries: entries }, possibleProcessors());
    fresh.add(definition.name);
  }
  return {
    maps,
    fresh,
    attach: () => attach(place, maps, fresh),
    close: () => closeMaps(maps),
  };
}

/** The maps that are pinned; undefined when any of the object's is missing or another. */
export function openPinnedMaps(place: InstallationPlace): Readonly<Record<string, BpfMap>> | undefined {
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

export function closeMaps(maps: Readonly<Record<string, BpfMap>>): void {
  for (const map of Object.values(maps)) map[Symbol.dispose]();
}

/** Takes programs of the object out of force: those of these names. Without effect when they are not. */
export function detach({ object, folder }: InstallationPlace, names: (name: string) => boolean = () => true): void {
  for (const { name } of object.programs) if (names(name)) unpin(linkPath(folder, name));
}

/** Takes everything away that was made: programs first. */
export function removeInstallation(place: InstallationPlace): void {
  detach(place);
  for (const { name } of place.object.maps) unpin(join(place.folder, name));
  removePinFolder(place.folder);
}

function attach(place: InstallationPlace, maps: Readonly<Record<string, BpfMap>>, fresh: Set<string>): void {
  for (const program of place.object.programs) {
    const fd = loadProgram(place.object, program, maps);
    try {
      putInForce(place, program.name, fd);
    } finally {
      closeSync(fd);
    }
  }
  for (const name of fresh) {
    const map = maps[name];
    if (map !== undefined) pin(map.fd, join(place.folder, name));
  }
  fresh.clear();
}

function putInForce({ cgroup, folder }: InstallationPlace, name: string, programFd: number): void {
  const path = linkPath(folder, name);
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

function linkPath(folder: string, name: string): string {
  return join(folder, `link-${name}`);
}

/** The kernel's number of a cgroup is its folder's inode. */
function cgroupId(cgroup: string): bigint {
  return statSync(cgroup, { bigint: true }).ino;
}

/** How many processors this machine may ever have: per-processor maps have a value for each. */
function possibleProcessors(): number {
  const text = readFileSync('/sys/devices/system/cpu/possible', 'utf8').trim();
  const last = Number(text.split(/[,-]/).at(-1));
  return last + 1;
}
