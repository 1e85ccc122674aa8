import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { array, assert as assertProperty, asyncProperty, constantFrom, record, string } from 'fast-check';
import type { StoreOptions } from './core-store.ts';
import {
  CompactedError,
  FutureRevisionError,
  SlowWatcherError,
  type Entry,
  type Expected,
  type Operation,
  type Store,
  type StoreEvent,
} from './store.ts';

/** Makes an empty store. Given one that was closed, a store with persistence opens the same state again. */
export type OpenStore = (options?: StoreOptions) => Promise<Store>;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

function put(key: string, value: string, expected: Expected = 'any'): Operation {
  return { type: 'put', key, value: encoder.encode(value), expected };
}

function remove(key: string, expected: Expected = 'any'): Operation {
  return { type: 'delete', key, expected };
}

function text(entry: Entry | undefined): string | undefined {
  return entry === undefined ? undefined : decoder.decode(entry.value);
}

function show({ type, key, revision, entry, previous }: StoreEvent): string {
  return `${revision} ${type} ${key} ${text(previous) ?? '-'} -> ${text(entry) ?? '-'}`;
}

async function read(store: Store, prefix: string, from: number, count: number): Promise<string[]> {
  const controller = new AbortController();
  const shown: string[] = [];
  for await (const events of store.watch(prefix, { from, signal: controller.signal })) {
    shown.push(...events.map(show));
    if (shown.length >= count) break;
  }
  return shown;
}

/** What every store has to do: run in each implementation's test file. */
export function describeStore(name: string, open: OpenStore): void {
  describe(name, () => {
    describeCommits(open);
    describeLists(open);
    describeWatches(open);
    describeHistory(open);
    describeModel(open);
  });
}

function describeCommits(open: OpenStore): void {
  it('starts at revision 1 with nothing in it', async () => {
    await using store = await open();
    assert.equal(store.revision, 1);
    assert.equal(await store.get('/a'), undefined);
    assert.deepEqual(await store.list('/'), { entries: [], revision: 1, remaining: 0 });
  });

  it('gives each commit one new revision and each key its create and change revisions', async () => {
    await using store = await open();
    assert.deepEqual(await store.commit([put('/a', '1'), put('/b', '1')]), { ok: true, revision: 2 });
    assert.deepEqual(await store.commit([put('/a', '2')]), { ok: true, revision: 3 });
    const entry = await store.get('/a');
    assert.deepEqual([text(entry), entry?.createRevision, entry?.modRevision], ['2', 2, 3]);
    await store.commit([remove('/a')]);
    await store.commit([put('/a', '3')]);
    assert.equal((await store.get('/a'))?.createRevision, 5);
  });

  it('refuses what does not find what it expects, and writes none of it', async () => {
    await using store = await open();
    await store.commit([put('/a', '1')]);
    const refused: readonly (readonly Operation[])[] = [
      [put('/new', 'x'), put('/a', '2', 'absent')],
      [put('/a', '2', 7)],
      [put('/absent', '2', 2)],
      [remove('/a', 7)],
      [remove('/absent', 2)],
    ];
    for (const operations of refused) {
      const result = await store.commit(operations);
      const last = operations.at(-1);
      assert.ok(!result.ok && result.conflict === last?.key, JSON.stringify(operations));
      assert.equal(text(result.current), last?.key === '/a' ? '1' : undefined);
    }
    assert.equal(store.revision, 2);
    assert.equal(await store.get('/new'), undefined);
  });

  it('does nothing and makes no event when it deletes what is absent', async () => {
    await using store = await open();
    assert.deepEqual(await store.commit([remove('/a')]), { ok: true, revision: 1 });
    assert.deepEqual(await store.commit([remove('/a', 'absent')]), { ok: true, revision: 1 });
    assert.equal(store.revision, 1);
  });

  it('rejects a commit that names a key twice, and only that one', async () => {
    await using store = await open();
    const [bad, good] = await Promise.allSettled([
      store.commit([put('/a', '1'), remove('/a')]),
      store.commit([put('/a', '2')]),
    ]);
    assert.equal(bad.status, 'rejected');
    assert.deepEqual(good, { status: 'fulfilled', value: { ok: true, revision: 2 } });
  });

  it('lets one of many commits win that expect the same state', async () => {
    await using store = await open();
    const creations = Array.from({ length: 20 }, (_, index) => store.commit([put('/a', `${index}`, 'absent')]));
    const results = await Promise.all(creations);
    assert.equal(results.filter(({ ok }) => ok).length, 1);
    const updates = await Promise.all(results.map(() => store.commit([put('/a', 'x', 2)])));
    assert.equal(updates.filter(({ ok }) => ok).length, 1);
    assert.equal(store.revision, 3);
  });

  it('shows a commit to readers once it is answered', async () => {
    await using store = await open();
    const pending = store.commit([put('/a', '1')]);
    assert.equal(await store.get('/a'), undefined);
    await pending;
    assert.equal(text(await store.get('/a')), '1');
  });
}

function describeLists(open: OpenStore): void {
  it('lists keys in the order of their bytes', async () => {
    await using store = await open();
    const keys = ['/p/b', '/p/a', '/p/\u{1F600}', '/p/\uFF5E', '/p/a/x', '/p/a-x', '/q', '/o', '/p/é'];
    await Promise.all(keys.map((key) => store.commit([put(key, 'x')])));
    const { entries } = await store.list('/p/');
    const byBytes = keys
      .filter((key) => key.startsWith('/p/'))
      .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    assert.deepEqual(
      entries.map(({ key }) => key),
      byBytes,
    );
  });

  it('pages through one snapshot while the keys change', async () => {
    await using store = await open();
    const keys = Array.from({ length: 25 }, (_, index) => `/p/${String(index).padStart(2, '0')}`);
    await store.commit(keys.map((key) => put(key, 'old')));
    const first = await store.list('/p/', { limit: 10 });
    assert.deepEqual([first.entries.length, first.remaining, first.revision], [10, 15, 2]);
    await store.commit([remove('/p/12'), put('/p/13', 'new'), put('/p/125', 'new'), put('/q', 'x')]);
    const second = await store.list('/p/', { limit: 10, after: first.entries.at(-1)?.key, at: first.revision });
    assert.deepEqual(
      second.entries.map(({ key }) => key),
      keys.slice(10, 20),
    );
    assert.deepEqual([second.remaining, second.revision, text(second.entries[3])], [5, 2, 'old']);
    const third = await store.list('/p/', { limit: 10, after: second.entries.at(-1)?.key, at: first.revision });
    assert.deepEqual([third.entries.length, third.remaining], [5, 0]);
    const now = await store.list('/p/', { after: '/p/11', limit: 2 });
    assert.deepEqual([now.entries.map(({ key }) => key), now.remaining], [['/p/125', '/p/13'], 11]);
  });

  it('counts without returning anything when the limit is 0', async () => {
    await using store = await open();
    await store.commit([put('/p/a', 'x'), put('/p/b', 'x')]);
    assert.deepEqual(await store.list('/p/', { limit: 0 }), { entries: [], revision: 2, remaining: 2 });
  });

  it('refuses revisions that are not there yet', async () => {
    await using store = await open();
    await assert.rejects(store.list('/', { at: 2 }), FutureRevisionError);
    await assert.rejects(read(store, '/', 2, 1), FutureRevisionError);
  });
}

function describeWatches(open: OpenStore): void {
  it('delivers the history after a revision and then what happens', async () => {
    await using store = await open();
    await store.commit([put('/p/a', '1')]);
    await store.commit([put('/p/a', '2'), put('/q', 'x'), put('/p/b', '1')]);
    const reading = read(store, '/p/', 2, 4);
    await store.commit([remove('/p/a')]);
    await store.commit([put('/other', '1')]);
    await store.commit([put('/p/b', '2', 3)]);
    assert.deepEqual(await reading, [
      '3 put /p/a 1 -> 2',
      '3 put /p/b - -> 1',
      '4 delete /p/a 2 -> -',
      '6 put /p/b 1 -> 2',
    ]);
  });

  it('keeps the events of one revision in one batch, and shares them among watchers', async () => {
    await using store = await open();
    const controller = new AbortController();
    const options = { from: 1, signal: controller.signal };
    const watches = [store.watch('/', options), store.watch('/a', options)].map((it) => it[Symbol.asyncIterator]());
    const reads = watches.map((watch) => watch.next());
    await store.commit([put('/a', '1'), put('/b', '1')]);
    const [all, one] = await Promise.all(reads);
    assert.ok(!all?.done && !one?.done);
    assert.equal(all?.value.length, 2);
    assert.equal(all?.value[0], one?.value[0]);
    controller.abort();
    assert.equal((await watches[0]?.next())?.done, true);
  });

  it('ends when the signal aborts or the store closes', async () => {
    const store = await open();
    const controller = new AbortController();
    const aborted = store.watch('/', { from: 1, signal: controller.signal })[Symbol.asyncIterator]();
    const closed = store.watch('/', { from: 1, signal: new AbortController().signal })[Symbol.asyncIterator]();
    const ends = [aborted.next(), closed.next()];
    controller.abort();
    await store[Symbol.asyncDispose]();
    assert.deepEqual(
      (await Promise.all(ends)).map(({ done }) => done),
      [true, true],
    );
  });

  it('cuts off a watcher that does not read', async () => {
    await using store = await open({ watcherLimit: 5 });
    const slow = store.watch('/', { from: 1, signal: new AbortController().signal })[Symbol.asyncIterator]();
    const first = slow.next();
    for (let count = 0; count < 10; count++) await store.commit([put('/a', `${count}`)]);
    await first;
    await assert.rejects(slow.next(), SlowWatcherError);
    assert.equal((await read(store, '/', 1, 10)).length, 10);
  });
}

function describeHistory(open: OpenStore): void {
  it('forgets history up to a compacted revision and keeps the state', async () => {
    await using store = await open();
    for (const value of ['1', '2', '3']) await store.commit([put('/a', value)]);
    await store.commit([remove('/a'), put('/b', '1')]);
    await store.compact(3);
    assert.equal(store.compactedRevision, 3);
    await assert.rejects(store.list('/', { at: 2 }), CompactedError);
    await assert.rejects(read(store, '/', 2, 1), CompactedError);
    assert.deepEqual((await store.list('/', { at: 3 })).entries.map(text), ['2']);
    assert.deepEqual(await read(store, '/', 3, 3), ['4 put /a 2 -> 3', '5 delete /a 3 -> -', '5 put /b - -> 1']);
    await assert.rejects(store.compact(99), FutureRevisionError);
    await store.compact(1);
    assert.equal(store.compactedRevision, 3);
  });

  it('trims history that is older than its age, but not the newest events', async () => {
    let time = 0;
    await using store = await open({
      now: () => time,
      retention: { maxAgeMs: 60_000, minEvents: 3, maxEvents: 1_000 },
    });
    for (let count = 0; count < 10; count++) await store.commit([put(`/${count}`, 'x')]);
    time = 59_000;
    await store.commit([put('/young', 'x')]);
    assert.equal(store.compactedRevision, 0);
    time = 75_000;
    await store.commit([put('/trigger', 'x')]);
    await waitFor(() => store.compactedRevision === 10);
    assert.equal((await read(store, '/', 10, 3)).length, 3);
  });

  it('trims the oldest history when there is too much', async () => {
    await using store = await open({ retention: { minEvents: 10, maxEvents: 50 } });
    for (let count = 0; count < 1_000; count++) store.commit([put(`/${count % 7}`, `${count}`)]);
    await store.commit([remove('/0')]);
    await waitFor(() => store.revision - store.compactedRevision <= 50 + 512);
    assert.equal((await store.list('/')).entries.length, 6);
    await assert.rejects(read(store, '/', 1, 1), CompactedError);
  });
}

async function waitFor(condition: () => boolean): Promise<void> {
  for (let turn = 0; turn < 1_000; turn++) {
    if (condition()) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.fail('the condition did not come true');
}

/** One random step: an operation on one of a few keys. */
const step = record({
  key: constantFrom('/p/a', '/p/ab', '/p/b', '/q/a', '/r'),
  type: constantFrom('put' as const, 'delete' as const),
  value: string({ maxLength: 3 }),
});

function describeModel(open: OpenStore): void {
  it('shows at every kept revision what a plain map held then', async () => {
    await assertProperty(
      asyncProperty(array(array(step, { minLength: 1, maxLength: 3 }), { maxLength: 30 }), async (commits) => {
        await using store = await open();
        const states = [new Map<string, string>()];
        for (const steps of commits) await runStep(store, states, steps);
        for (const [index, state] of states.entries()) {
          const { entries, remaining } = await store.list('/p/', { at: index + 1, limit: 2 });
          const expected = [...state].filter(([key]) => key.startsWith('/p/')).sort();
          assert.deepEqual(
            entries.map((entry) => [entry.key, text(entry)]),
            expected.slice(0, 2),
          );
          assert.equal(remaining, Math.max(0, expected.length - 2));
        }
      }),
      { numRuns: 30 },
    );
  });
}

type Step = { readonly key: string; readonly type: 'put' | 'delete'; readonly value: string };

async function runStep(store: Store, states: Map<string, string>[], steps: readonly Step[]): Promise<void> {
  const distinct = [...new Map(steps.map((it) => [it.key, it])).values()];
  const state = new Map(states.at(-1));
  for (const { key, type, value } of distinct) {
    if (type === 'put') state.set(key, value);
    else state.delete(key);
  }
  const operations = distinct.map(({ key, type, value }) => (type === 'put' ? put(key, value) : remove(key)));
  await store.commit(operations);
  if (store.revision > states.length) states.push(state);
}
