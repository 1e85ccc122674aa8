import type { Service, ServicePort } from '../api/core/service.ts';
import {
  portRangesAnnotation,
  resetRemovedAnnotation,
  schedulerAnnotation,
  slowStartAnnotation,
} from '../api/fairlead-annotations.ts';
import { parseDuration } from '../lib/duration.ts';
import type { Note } from './notice.ts';
import { schedulers } from './scheduler.ts';
import type { Scheduler } from './scheduler.ts';
import { readProtocol } from './slice.ts';

/** What holds for Services that do not say otherwise. */
export interface SettingDefaults {
  readonly scheduler?: Scheduler;
  readonly resetAfterSeconds?: number;
}

/** What a Service asks for by annotations, with the defaults filled in. */
export interface Settings {
  readonly scheduler: Scheduler | undefined;
  readonly resetAfterSeconds: number | undefined;
  /** How long a new backend takes to get its full share, in whole milliseconds; 0 for no time. */
  readonly slowStartMs: number;
  /** Last port of the range that a port stands for, by its name; without an entry a port is itself alone. */
  readonly lastPorts: ReadonlyMap<string, number>;
}

/** Reads the annotations of a Service; a value that cannot be read is noted and counts as absent. */
export function settingsOf(service: Service, defaults: SettingDefaults, note: Note): Settings {
  return {
    scheduler: schedulerOf(service, note) ?? defaults.scheduler,
    resetAfterSeconds: resetAfterSecondsOf(service, defaults.resetAfterSeconds, note),
    slowStartMs: slowStartMsOf(service, note),
    lastPorts: lastPortsOf(service, note),
  };
}

function schedulerOf(service: Service, note: Note): Scheduler | undefined {
  const text = service.metadata.annotations?.[schedulerAnnotation];
  if (text === undefined) return undefined;
  const scheduler = schedulers.find((each) => each === text.trim());
  if (scheduler === undefined) complain(note, schedulerAnnotation, text, `is none of ${schedulers.join(', ')}`);
  return scheduler;
}

/** The longest time that an annotation or a flag may ask for. */
const longestDays = 30;
const noTime = `is no duration such as 30s, of ${longestDays} days at most`;

/** What is wrong with a text that `readResetAfter` cannot read. */
export const noResetAfter = `${noTime}, nor "never"`;

/** Whole seconds, rounded up, or `never`; undefined when it is neither, or too long. */
export function readResetAfter(text: string): number | 'never' | undefined {
  if (text.trim() === 'never') return 'never';
  const ms = readDuration(text);
  return ms === undefined ? undefined : Math.ceil(ms / 1000);
}

/** `never` takes a default away. */
function resetAfterSecondsOf(service: Service, byDefault: number | undefined, note: Note): number | undefined {
  const text = service.metadata.annotations?.[resetRemovedAnnotation];
  if (text === undefined) return byDefault;
  const found = readResetAfter(text);
  if (found === undefined) complain(note, resetRemovedAnnotation, text, noResetAfter);
  return found === 'never' ? undefined : (found ?? byDefault);
}

function slowStartMsOf(service: Service, note: Note): number {
  const text = service.metadata.annotations?.[slowStartAnnotation];
  if (text === undefined) return 0;
  const ms = readDuration(text);
  if (ms === undefined) complain(note, slowStartAnnotation, text, noTime);
  return Math.ceil(ms ?? 0);
}

/** Milliseconds. */
function readDuration(text: string): number | undefined {
  const ms = parseDuration(text.trim());
  return ms !== undefined && ms <= longestDays * 86_400_000 ? ms : undefined;
}

const noRanges: ReadonlyMap<string, number> = new Map();

/** `http=8000-8999, media=20000-20100`; with a single port its name may be left out. */
function lastPortsOf(service: Service, note: Note): ReadonlyMap<string, number> {
  const text = service.metadata.annotations?.[portRangesAnnotation];
  if (text === undefined) return noRanges;
  const ports = service.spec?.ports ?? [];
  const lastPorts = new Map<string, number>();
  for (const entry of text.split(',').map((each) => each.trim())) {
    if (entry === '') continue;
    const range = readRange(entry, ports);
    if (typeof range === 'string') complain(note, portRangesAnnotation, entry, range);
    else if (range.last > range.first) lastPorts.set(range.name, range.last);
  }
  return lastPorts;
}

interface PortRange {
  readonly name: string;
  readonly first: number;
  readonly last: number;
}

/** The range, or what is wrong with it. Two ranges that overlap always contain one another's first port. */
function readRange(entry: string, ports: readonly ServicePort[]): PortRange | string {
  const match = /^(?:([^=\s]+)\s*=\s*)?(\d{1,5})\s*-\s*(\d{1,5})$/.exec(entry);
  if (match === null) return 'is not of the form port-name=first-last';
  const [first, last] = [Number(match[2]), Number(match[3])];
  const port = match[1] === undefined && ports.length === 1 ? ports[0] : ports.find((each) => each.name === match[1]);
  if (port === undefined) return 'names no port of the Service';
  if (first !== port.port) return `must begin at ${port.port}, the number of the port`;
  if (last < first || last > 65_535) return `must end between ${first} and 65535`;
  const inside = ports.find((each) => each !== port && isInside(each, port, last));
  if (inside !== undefined) return `contains the Service's port ${inside.port}`;
  return { name: port.name ?? '', first, last };
}

function isInside(other: ServicePort, { port, protocol }: ServicePort, last: number): boolean {
  const isSameProtocol = readProtocol(other.protocol) === readProtocol(protocol);
  return isSameProtocol && (other.port ?? 0) >= (port ?? 0) && (other.port ?? 0) <= last;
}

function complain(note: Note, annotation: string, text: string, problem: string): void {
  note('InvalidAnnotation', `${annotation}: "${text}" ${problem}; ignored`);
}
