import { readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Logger } from '../../observe/log.ts';
import type { ZoneFileSettings } from '../settings/settings.ts';
import { parseKey } from '../wire/names.ts';
import type { Name } from '../wire/names.ts';
import { parseZoneFile } from './parse.ts';
import { ZoneData } from './zone.ts';

interface Reading {
  readonly logger: Logger;
  /** Unix milliseconds. */
  readonly now: () => number;
}

/** The zones of files, longest name first. Throws as `ServedFile` does. */
export function serveFiles(files: readonly ZoneFileSettings[], parts: Reading): readonly ServedFile[] {
  const zones = files.flatMap((file) => file.zones.map((zone) => new ServedFile(file, zone, parts)));
  return zones.toSorted((a, b) => b.origin.length - a.origin.length);
}

/** A zone file with what it held when it was last looked at. */
export class ServedFile {
  readonly origin: Name;
  readonly #settings: ZoneFileSettings;
  readonly #parts: Reading;
  #data: ZoneData;
  #lookAtMs: number;
  #modifiedMs = 0;

  /** Throws SettingsError, RangeError or the system's error when the file is not a zone. */
  constructor(settings: ZoneFileSettings, zone: string, parts: Reading) {
    const origin = parseKey(zone);
    if (origin === undefined) throw new RangeError(`"${zone}" is no zone`);
    this.origin = origin;
    this.#settings = settings;
    this.#parts = parts;
    this.#lookAtMs = parts.now() + settings.reloadSeconds * 1000;
    this.#data = this.#read();
  }

  /** Looks for a newer file at most once in the reload time, when somebody asks. */
  current(): ZoneData {
    const now = this.#parts.now();
    if (this.#settings.reloadSeconds > 0 && now >= this.#lookAtMs) {
      this.#lookAtMs = now + this.#settings.reloadSeconds * 1000;
      this.#reload();
    }
    return this.#data;
  }

  #reload(): void {
    const { path } = this.#settings;
    try {
      if (statSync(path).mtimeMs === this.#modifiedMs) return;
      this.#data = this.#read();
      this.#parts.logger.info('a zone file was read again', { path });
    } catch (error) {
      this.#parts.logger.error('a zone file is wrong; its last good state is served', { path, error });
    }
  }

  #read(): ZoneData {
    const { path } = this.#settings;
    this.#modifiedMs = statSync(path).mtimeMs;
    const included = (name: string): string | undefined => {
      try {
        return readFileSync(resolve(dirname(path), name), 'utf8');
      } catch {
        return undefined;
      }
    };
    return new ZoneData(this.origin, parseZoneFile(readFileSync(path, 'utf8'), path, this.origin, included));
  }
}
