import assert from 'node:assert/strict';
import { ConfigMap } from '../../../src/api/core/config-map.ts';
import { ApiError } from '../../../src/api/errors.ts';
import { TransportError } from '../../../src/client/client.ts';
import type { Client, Transport, WatchEvent } from '../../../src/client/client.ts';
import { runListWatch } from '../../../src/client/list-watch.ts';
import { createObjectCache, keyOf, revisionOf } from '../../../src/client/object-cache.ts';
import { RelistRequest } from '../../../src/client/relist-request.ts';
import { createClient } from '../../../src/client/rest-client.ts';
import { systemClock } from '../../../src/observe/clock.ts';
import { silentLogger } from '../../../src/observe/log.ts';
import { mutateBytes } from '../byte-mutations.ts';
import { chunksOf, withCuts } from '../chunks.ts';
import type { Random } from '../random.ts';
import type { Target } from '../target.ts';
import { mutateText } from '../text-mutations.ts';

type Event = WatchEvent<ConfigMap>;

/** Watch streams cut anywhere, in the client and in the cache that it fills. */
export const watchEvents: Target = {
  name: 'watch-events',
  form: 'bytes',
  generate: (random) => withCuts(random, Buffer.from(randomStream(random))),
  mutate(random, input, other) {
    if (random.oneIn(3)) return mutateBytes(random, input, other);
    const stream = mutateText(random, chunksOf(input).whole.toString(), chunksOf(other).whole.toString(), words);
    return withCuts(random, Buffer.from(stream));
  },
  async check(input) {
    const { chunks, whole } = chunksOf(input);
    const expected = eventsIn(whole);
    const read = await readStream(chunks);
    assert.deepEqual(read.events, expected.events.slice(0, read.events.length), 'events are those of the stream');
    assert.equal(read.error === undefined, !expected.isWrong, 'an error is told if and only if there is one');
    if (read.error === undefined) assert.equal(read.events.length, expected.events.length, 'no event is lost');
    if (input.length % 4 === 0) await checkCache(chunks, expected);
    const kind = read.error === undefined ? `${Math.min(read.events.length, 3)} events` : read.error.name;
    return `${kind}${isOrdered(expected.events) ? ', in order' : ''}`;
  },
};

const words = [
  'ADDED',
  'ERROR',
  'BOOKMARK',
  'null',
  '{}',
  '[]',
  '"object"',
  '"metadata"',
  '"resourceVersion"',
  '"9"',
  '1e999',
  '"\\ud800"',
  '__proto__',
  '{"type":"ADDED"}',
];

function randomStream(random: Random): string {
  let revision = random.below(20);
  const event = (): string => {
    revision += random.oneIn(16) ? -1 : 1;
    const type = random.pick(['ADDED', 'ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK']);
    const annotations = random.oneIn(3) ? { 'k8s.io/initial-events-end': 'true' } : undefined;
    const name = random.pick(['a', 'b', 'c']);
    const metadata = {
      name,
      namespace: random.pick(['x', 'y']),
      uid: `u-${name}`,
      resourceVersion: String(revision),
      annotations,
    };
    if (random.oneIn(64))
      return JSON.stringify({
        type: 'ERROR',
        object: { kind: 'Status', code: 410, reason: 'Expired', message: 'gone' },
      });
    return JSON.stringify({ type, object: { metadata, data: random.oneIn(2) ? { text: 'ä\u{1f600}\n' } : undefined } });
  };
  const end = random.oneIn(4) ? '' : '\n';
  return random.many(0, 6, event).join(random.oneIn(8) ? '\n\n' : '\n') + end;
}

/** A stream read in one piece: events up to the first line that is none. */
interface Expected {
  readonly events: readonly Event[];
  readonly isWrong: boolean;
}

function eventsIn(whole: Buffer): Expected {
  const events: Event[] = [];
  for (const line of new TextDecoder('utf-8', { ignoreBOM: true }).decode(whole).split('\n')) {
    if (line === '') continue;
    const event = eventOf(line);
    if (event === undefined) return { events, isWrong: true };
    events.push(event);
  }
  return { events, isWrong: false };
}

function eventOf(line: string): Event | undefined {
  try {
    const value = JSON.parse(line) as Event;
    const { type, object } = value;
    const isEvent =
      ['ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK'].includes(type) && isObject(object) && isObject(object.metadata);
    if (!isEvent) return undefined;
    const hasKind = Boolean(object.kind) && Boolean(object.apiVersion);
    return { type, object: hasKind ? object : { ...object, apiVersion: 'v1', kind: 'ConfigMap' } };
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function transportOf(chunks: readonly Buffer[], onEnd: () => void): Transport {
  async function* body() {
    try {
      yield* chunks;
    } finally {
      onEnd();
    }
  }
  return {
    request: async () => ({ status: 200, headers: {}, body: body() }),
    [Symbol.asyncDispose]: async () => undefined,
  };
}

async function readStream(chunks: readonly Buffer[]): Promise<{ readonly events: Event[]; readonly error?: Error }> {
  const client = createClient(transportOf(chunks, () => undefined));
  const events: Event[] = [];
  try {
    for await (const batch of client.watchBatches(ConfigMap, { signal: new AbortController().signal })) {
      assert.ok(batch.length > 0, 'no group is empty');
      events.push(...batch);
    }
    return { events };
  } catch (error) {
    if (!(error instanceof ApiError || error instanceof TransportError)) throw error;
    return { events, error };
  }
}

/** The loop that fills a cache goes on whatever comes, and in the end the cache has what the stream says. */
async function checkCache(chunks: readonly Buffer[], { events, isWrong }: Expected): Promise<void> {
  const stop = new AbortController();
  const client: Client = createClient(transportOf(chunks, () => stop.abort()));
  const cache = createObjectCache(ConfigMap, {
    onHandlerError(error) {
      throw error;
    },
  });
  const seen = new Map<string, ConfigMap>();
  cache.subscribe((changes) => {
    for (const { old, current } of changes) {
      if (current !== undefined) seen.set(keyOf(current), current);
      else if (old !== undefined) seen.delete(keyOf(old));
    }
  });
  await runListWatch({
    client,
    kind: ConfigMap,
    selector: {},
    sink: cache,
    keep: (object) => object,
    signal: stop.signal,
    relist: new RelistRequest(),
    logger: silentLogger,
    random: () => 0,
    clock: systemClock,
  });
  assert.deepEqual([...seen.values()], cache.list(), 'subscribers heard of every change');
  const inNamespaces = [...new Set(cache.list().map(({ metadata }) => metadata.namespace))];
  const indexed = inNamespaces.flatMap((namespace) => (namespace ? cache.list(namespace) : []));
  assert.equal(indexed.length, cache.list().filter(({ metadata }) => metadata.namespace).length, 'the index is whole');
  if (!isWrong && isOrdered(events)) assert.deepEqual(sorted(cache.list()), sorted(lastOf(events)), 'the last state');
}

/** Whether revisions only grow: else the cache has rules of its own for what is older. */
function isOrdered(events: readonly Event[]): boolean {
  return events.every(({ object }, index) => {
    const { resourceVersion, name, namespace, uid } = object.metadata;
    const before = index === 0 ? 0 : revisionOf(events[index - 1]?.object ?? object);
    return (
      [resourceVersion, name, namespace, uid].every((each) => typeof each === 'string') && revisionOf(object) > before
    );
  });
}

/** The objects after all events. Before the end of the first list every event is an object that is there. */
function lastOf(events: readonly Event[]): ConfigMap[] {
  const objects = new Map<string, ConfigMap>();
  const isEnd = ({ type, object }: Event): boolean =>
    type === 'BOOKMARK' && object.metadata.annotations?.['k8s.io/initial-events-end'] === 'true';
  const end = events.findIndex(isEnd);
  for (const [index, { type, object }] of events.entries()) {
    if (index >= end && end >= 0 ? type === 'DELETED' : false) objects.delete(keyOf(object));
    else if (index < end || end < 0 || type !== 'BOOKMARK') objects.set(keyOf(object), object);
  }
  return [...objects.values()];
}

function sorted(objects: readonly ConfigMap[]): readonly ConfigMap[] {
  return objects.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
}
