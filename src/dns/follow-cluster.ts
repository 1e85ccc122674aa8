import type { Namespace } from '../api/core/namespace.ts';
import type { Pod } from '../api/core/pod.ts';
import type { Service } from '../api/core/service.ts';
import type { EndpointSlice } from '../api/discovery/endpoint-slice.ts';
import type { ApiObject } from '../api/meta/object-meta.ts';
import type { Cache, Caches, Change } from '../client/caches.ts';
import type { Clock } from '../observe/clock.ts';
import type { Logger } from '../observe/log.ts';
import type { Metrics } from '../observe/metrics.ts';
import { objectKey, serviceNameLabel } from '../routing/labels.ts';
import { triggerTimeOf } from '../routing/trigger-time.ts';
import { programmingBuckets } from './coredns-names.ts';
import type { RecordChange, Records } from './records.ts';
import { followServed } from './served-kind.ts';
import { ServiceImport } from './service-import.ts';
import { isHeadless } from './service-names.ts';
import { loadState, saveState } from './state-file.ts';

export interface FollowOptions {
  readonly records: Records;
  readonly caches: {
    readonly service: Cache<Service>;
    readonly slice: Cache<EndpointSlice>;
    readonly namespace: Cache<Namespace>;
    /** Only for verified Pod records. */
    readonly pod: Cache<Pod> | undefined;
  };
  /** Where ServiceImports come from, if the API serves them; undefined without a zone for them. */
  readonly imports: Caches | undefined;
  /** Whether Services are hidden that have no ready endpoint. */
  readonly hidesEmptyServices: boolean;
  readonly dataDir: string | undefined;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly clock: Clock;
}

/** The connection from the API's caches, and the disk, to the records. */
export interface Following extends AsyncDisposable {
  readonly knowledge: () => 'none' | 'restored' | 'synced';
  readonly synced: Promise<void>;
}

/** State is written at most this often, and for no more than a twentieth of the time: all of it is written each time. */
const saveEveryMs = 5000;
const restPerSave = 20;

/** Restores the last known state, then applies every change that the caches see at once. */
export async function followCluster(options: FollowOptions): Promise<Following> {
  const { records, caches, dataDir, metrics, logger, clock } = options;
  const { now } = clock;
  const figures = followMetrics(metrics);
  const restored = dataDir === undefined ? undefined : await loadState(dataDir);
  if (restored !== undefined) records.apply(restored, seconds(now));
  let knowledge: 'none' | 'restored' | 'synced' = restored === undefined ? 'none' : 'restored';
  const imports = options.imports && followImports(options.imports);
  const imported = (): readonly ServiceImport[] => imports?.objects() ?? [];
  const saver = createSaver(options, imported);

  function apply(changes: readonly RecordChange[]): void {
    records.apply(changes, seconds(now));
    if (knowledge !== 'synced') return;
    for (const change of changes) if (change.type === 'slice') programmed(change);
    saver.changed();
  }

  function programmed(change: Extract<RecordChange, { type: 'slice' }>): void {
    const triggered = triggerTimeOf([change]);
    if (triggered === undefined) return;
    const { labels, namespace: where } = change.new?.metadata ?? {};
    const of = caches.service.get(labels?.[serviceNameLabel] ?? '', where);
    const kind = of !== undefined && isHeadless(of) ? 'headless_with_selector' : 'cluster_ip';
    figures.programming.observe(Math.max(0, now() - triggered) / 1000, { service_kind: kind });
  }

  const { service, slice, namespace, pod } = caches;
  const subscriptions = [
    service.subscribe((changes) => apply(changes.map(({ old, current }) => ({ type: 'service', old, new: current })))),
    slice.subscribe((changes) => apply(changes.map(({ old, current }) => ({ type: 'slice', old, new: current })))),
    namespace.subscribe((changes) =>
      apply(changes.map(({ old, current }) => ({ type: 'namespace', old, new: current }))),
    ),
    pod?.subscribe((changes: readonly Change<Pod>[]) =>
      apply(changes.map(({ old, current }) => ({ type: 'pod', old, new: current }))),
    ),
  ];
  const synced = Promise.all([service.synced, slice.synced, namespace.synced, pod?.synced, imports?.synced]).then(
    () => {
      records.apply(goneSince(restored ?? [], caches, imported()), seconds(now));
      knowledge = 'synced';
      figures.synced.set(1);
      saver.changed();
    },
  );

  function followImports(from: Caches) {
    return followServed(
      ServiceImport,
      (changes) => apply(changes.map(({ old, current }) => ({ type: 'import', old, new: current }))),
      { caches: from, logger, clock },
    );
  }

  return {
    knowledge: () => knowledge,
    synced,
    async [Symbol.asyncDispose]() {
      imports?.[Symbol.dispose]();
      for (const subscription of subscriptions) subscription?.[Symbol.dispose]();
      await saver[Symbol.asyncDispose]();
    },
  };
}

/** Objects of the restored state that the API does not have any more. */
function goneSince(
  restored: readonly RecordChange[],
  caches: FollowOptions['caches'],
  imports: readonly ServiceImport[],
): RecordChange[] {
  const imported = new Set(imports.map(objectKey));
  return restored.flatMap((change): RecordChange[] => {
    switch (change.type) {
      case 'service':
        return isIn(caches.service, change.new) ? [] : [{ type: 'service', old: change.new }];
      case 'slice':
        return isIn(caches.slice, change.new) ? [] : [{ type: 'slice', old: change.new }];
      case 'namespace':
        return isIn(caches.namespace, change.new) ? [] : [{ type: 'namespace', old: change.new }];
      case 'import':
        return change.new === undefined || imported.has(objectKey(change.new))
          ? []
          : [{ ...change, old: change.new, new: undefined }];
      case 'pod':
        return [];
    }
  });
}

function isIn<T extends ApiObject>(cache: Cache<T>, object: ApiObject | undefined): boolean {
  return cache.get(object?.metadata.name ?? '', object?.metadata.namespace) !== undefined;
}

function seconds(now: () => number): number {
  return Math.floor(now() / 1000);
}

/** Writes the state down some time after changes, and once more at the end. */
function createSaver(
  { caches, dataDir, logger, hidesEmptyServices, clock }: FollowOptions,
  imported: () => readonly ServiceImport[],
): { changed(): void } & AsyncDisposable {
  let timer: Disposable | undefined;
  let writing = Promise.resolve();
  let isDirty = false;
  let restMs = saveEveryMs;

  async function save(): Promise<void> {
    if (dataDir === undefined || !isDirty) return;
    isDirty = false;
    const { service, slice, namespace } = caches;
    const state = {
      services: service.list(),
      slices: slice.list(),
      namespaces: namespace.list(),
      imports: imported(),
      hidesEmptyServices,
    };
    const startMs = performance.now();
    await saveState(dataDir, state).catch((error: unknown) =>
      logger.warn('the state could not be written; a restart would have to wait for the API', { error }),
    );
    restMs = Math.max(saveEveryMs, (performance.now() - startMs) * restPerSave);
  }
  const flush = (): Promise<void> => {
    timer?.[Symbol.dispose]();
    timer = undefined;
    writing = writing.then(save);
    return writing;
  };

  return {
    changed() {
      isDirty = true;
      if (dataDir !== undefined) timer ??= clock.after(restMs, () => void flush());
    },
    [Symbol.asyncDispose]: flush,
  };
}

function followMetrics(metrics: Metrics) {
  return {
    synced: metrics.gauge({
      name: 'fairlead_dns_synced',
      help: '1 once the cluster is read completely; names are only denied then.',
    }),
    programming: metrics.histogram({
      name: 'coredns_kubernetes_dns_programming_duration_seconds',
      help: 'From the change that made an EndpointSlice be written until its names are answered.',
      labels: ['service_kind'],
      buckets: programmingBuckets,
    }),
  };
}
