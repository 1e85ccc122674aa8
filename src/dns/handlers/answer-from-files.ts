import { readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { buildReply } from '../reply.ts';
import type { ZoneFileSettings } from '../settings/settings.ts';
import { isWithin, parseName } from '../wire/names.ts';
import type { Name } from '../wire/names.ts';
import type { Query } from '../wire/query.ts';
import { rcodes } from '../wire/types.ts';
import { parseZoneFile } from '../zone-file/parse.ts';
import { ZoneData } from '../zone-file/zone.ts';
import { followAlias } from './answers.ts';
import type { Answer, HandlerMaker, ServerParts } from './handler.ts';

/** Answers from zone files (RFC 1035 5). A file that gets wrong while it is served is said, and its last good state stays. */
export const answerFromFiles: HandlerMaker = ({ files }, parts) => {
  if (files.length === 0) return undefined;
  const zones = files.flatMap((file) => file.zones.map((zone) => new ServedFile(file, zone, parts)));
  const byLength = zones.toSorted((a, b) => b.origin.length - a.origin.length);
  return {
    name: 'file',
    answer(query) {
      const zone = byLength.find(({ origin }) => isWithin(query.key, origin));
      return zone && answerFrom(zone.current(), query, parts.again);
    },
  };
};

function answerFrom(zone: ZoneData, query: Query, again: ServerParts['again']): Answer {
  const found = zone.find(query.key, query.type);
  switch (found.kind) {
    case 'answer':
      return buildReply(query, { answers: found.records });
    case 'alias':
      return followAlias(query, found.records, found.target, again);
    case 'referral':
      return buildReply(query, { authoritative: false, authorities: found.servers, additionals: found.glue });
    default:
      return buildReply(query, {
        rcode: found.kind === 'missing' ? rcodes.NXDOMAIN : rcodes.NOERROR,
        authorities: [negativeSoa(zone)],
      });
  }
}

/** Its TTL is how long "no" may be remembered (RFC 2308 3). */
function negativeSoa({ soa }: ZoneData): ZoneData['soa'] {
  const minimum = Buffer.from(soa.rdata).readUInt32BE(soa.rdata.length - 4);
  return { ...soa, ttl: Math.min(soa.ttl, minimum) };
}

/** A zone file with what it held when it was last looked at. */
class ServedFile {
  readonly origin: Name;
  readonly #settings: ZoneFileSettings;
  readonly #parts: ServerParts;
  #data: ZoneData;
  #lookAtMs: number;
  #modifiedMs = 0;

  /** Throws SettingsError, RangeError or the system's error when the file is not a zone. */
  constructor(settings: ZoneFileSettings, zone: string, parts: ServerParts) {
    const origin = parseName(zone.toLowerCase());
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
