import { isAlreadyExists, isNotFound } from '../api/errors.ts';
import { Event } from '../api/core/event.ts';
import type { ObjectReference } from '../api/core/references.ts';
import { nameOf, namespaceOf } from '../api/meta/object-meta.ts';
import type { ApiObject } from '../api/meta/object-meta.ts';
import type { Kind } from '../api/schema.ts';
import { silentLogger } from '../observe/log.ts';
import type { Logger } from '../observe/log.ts';
import type { Client } from './client.ts';

export type EventType = 'Normal' | 'Warning';

/** What happened to an object, in words that `kubectl describe` shows. */
export interface Happening {
  readonly type: EventType;
  /** One word in upper camel case: `SuccessfulCreate`. */
  readonly reason: string;
  readonly message: string;
  /** Which part of the object, e.g. `spec.containers{web}`. */
  readonly fieldPath?: string;
}

/**
 * Writes Events, in the background and in order; never throws and never delays its caller. The same happening to the same
 * object within ten minutes becomes one Event with a higher count. An object that makes more than 25 Events in a burst,
 * or more than one in five minutes after it, loses the rest.
 */
export interface EventRecorder extends AsyncDisposable {
  record<T extends ApiObject>(kind: Kind<T>, object: T, happening: Happening): void;
  /** Resolves when everything recorded so far is written or given up. */
  flush(): Promise<void>;
}

export interface EventRecorderOptions {
  readonly client: Client;
  /** Who reports: `endpoint-slices`, `agent`. */
  readonly component: string;
  /** The node that reports, for components that run on one. */
  readonly host?: string;
  readonly logger?: Logger;
  /** Unix milliseconds. */
  readonly now?: () => number;
  /** In [0, 1): keeps the names of several recorders apart. */
  readonly random?: () => number;
}

interface Known {
  readonly name: string;
  readonly namespace: string;
  readonly firstMs: number;
  lastMs: number;
  count: number;
}

interface Budget {
  tokens: number;
  atMs: number;
}

const aggregateMs = 10 * 60_000;
const burst = 25;
const refillMs = 5 * 60_000;
/** How many happenings and objects are remembered; the oldest go first. */
const maxRemembered = 4096;

export function createEventRecorder(options: EventRecorderOptions): EventRecorder {
  const { client, logger = silentLogger, now = Date.now, random = Math.random } = options;
  const known = new Map<string, Known>();
  const budgets = new Map<string, Budget>();
  let tail: Promise<void> = Promise.resolve();
  let isStopped = false;
  let last = { timeMs: 0, sequence: 0 };

  /** As in Kubernetes: the object's name and a time in nanoseconds, here ordered within a millisecond by a counter. */
  function nextName(object: string, nowMs: number): string {
    last = { timeMs: nowMs, sequence: last.timeMs === nowMs ? last.sequence + 1 : 0 };
    const nanos = BigInt(nowMs) * 1_000_000n + BigInt((last.sequence % 1000) * 1000 + Math.floor(random() * 1000));
    return `${object}.${nanos.toString(16)}`;
  }

  function record<T extends ApiObject>(kind: Kind<T>, object: T, happening: Happening): void {
    const nowMs = now();
    if (isStopped || !spend(budgets, object.metadata.uid ?? '', nowMs)) return;
    const involved = objectReference(kind, object, happening.fieldPath);
    const key = JSON.stringify([involved, happening]);
    tail = tail
      .then(() => write(key, involved, happening, nowMs))
      .catch((error: unknown) => {
        logger.debug('an event could not be written', { reason: happening.reason, error });
      });
  }

  async function write(key: string, involved: ObjectReference, happening: Happening, nowMs: number): Promise<void> {
    const same = known.get(key);
    if (same !== undefined && nowMs - same.lastMs < aggregateMs && (await countUp(same, nowMs))) return;
    const event = await create(involved, happening, nowMs);
    remember(known, key, {
      name: nameOf(event),
      namespace: namespaceOf(event),
      firstMs: nowMs,
      lastMs: nowMs,
      count: 1,
    });
  }

  async function create(involved: ObjectReference, happening: Happening, nowMs: number): Promise<Event> {
    const make = () => newEvent(options, nextName(involved.name ?? '', nowMs), involved, happening, nowMs);
    try {
      return await client.create(Event, make());
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
      return client.create(Event, make());
    }
  }

  /** False when the Event is gone meanwhile (Events live an hour). */
  async function countUp(same: Known, nowMs: number): Promise<boolean> {
    const body = { count: same.count + 1, lastTimestamp: seconds(nowMs) };
    try {
      await client.patch(Event, same.name, { type: 'merge', body }, { namespace: same.namespace });
    } catch (error) {
      if (isNotFound(error)) return false;
      throw error;
    }
    same.count += 1;
    same.lastMs = nowMs;
    return true;
  }

  return {
    record,
    flush: () => tail,
    async [Symbol.asyncDispose]() {
      isStopped = true;
      await tail;
    },
  };
}

/** Takes one of the object's tokens; false when there is none. */
function spend(budgets: Map<string, Budget>, uid: string, nowMs: number): boolean {
  const budget = budgets.get(uid) ?? { tokens: burst, atMs: nowMs };
  const tokens = Math.min(burst, budget.tokens + (nowMs - budget.atMs) / refillMs);
  remember(budgets, uid, { tokens: tokens >= 1 ? tokens - 1 : tokens, atMs: nowMs });
  return tokens >= 1;
}

function remember<V>(map: Map<string, V>, key: string, value: V): void {
  map.delete(key);
  map.set(key, value);
  const oldest = map.size > maxRemembered ? map.keys().next().value : undefined;
  if (oldest !== undefined) map.delete(oldest);
}

/** The reference by which an Event names its object. */
function objectReference<T extends ApiObject>(kind: Kind<T>, object: T, fieldPath?: string): ObjectReference {
  const { name, namespace, uid, resourceVersion } = object.metadata;
  return {
    kind: kind.kind,
    apiVersion: kind.apiVersion,
    name,
    ...(namespace === undefined ? {} : { namespace }),
    uid,
    ...(fieldPath === undefined ? { resourceVersion } : { resourceVersion, fieldPath }),
  };
}

function newEvent(
  { component, host }: EventRecorderOptions,
  name: string,
  involved: ObjectReference,
  { type, reason, message }: Happening,
  nowMs: number,
): Event {
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name, namespace: involved.namespace ?? 'default' },
    involvedObject: involved,
    reason,
    message,
    type,
    count: 1,
    firstTimestamp: seconds(nowMs),
    lastTimestamp: seconds(nowMs),
    source: host === undefined ? { component } : { component, host },
    reportingComponent: component,
    reportingInstance: host ?? '',
  };
}

function seconds(timeMs: number): string {
  return `${new Date(timeMs).toISOString().slice(0, 19)}Z`;
}
