/** Label values by label name. Every metric takes exactly the labels it was declared with. */
export type Labels = Readonly<Record<string, string>>;

/** A figure that only grows. */
export interface Counter {
  /** Adds `by` (default 1). Throws `RangeError` when negative. */
  inc(labels?: Labels, by?: number): void;
  value(labels?: Labels): number;
}

/** A figure that goes up and down. */
export interface Gauge {
  set(value: number, labels?: Labels): void;
  add(by: number, labels?: Labels): void;
  /** Forgets one series, e.g. of an object that is gone. */
  remove(labels?: Labels): void;
  value(labels?: Labels): number;
}

/** Observations counted in buckets, with their sum. */
export interface Histogram {
  observe(value: number, labels?: Labels): void;
  /** Adds what was counted elsewhere: observations by bound, the last for those above all bounds, and their sum. */
  add(counts: ArrayLike<number>, sum: number, labels?: Labels): void;
  /** How many observations so far. */
  count(labels?: Labels): number;
  sum(labels?: Labels): number;
}

export interface MetricOptions {
  /** Prometheus name with unit suffix, e.g. `fairlead_proxy_apply_seconds`. */
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly string[];
}

export interface HistogramOptions extends MetricOptions {
  /** Upper bounds, ascending, without infinity. */
  readonly buckets?: readonly number[];
}

/**
 * All metrics of a process. Asking again for a name gives the metric that is there, so that several components may share
 * one; asking for it as another type throws `TypeError`.
 */
export interface Metrics {
  counter(options: MetricOptions): Counter;
  gauge(options: MetricOptions): Gauge;
  /** A figure read when rendered: queue lengths, memory. */
  observed(options: Omit<MetricOptions, 'labels'>, read: () => number, type?: 'gauge' | 'counter'): void;
  histogram(options: HistogramOptions): Histogram;
  /** Calls `update` before each `render`, for figures that are kept elsewhere. Disposing of it ends that. */
  beforeRender(update: () => void): Disposable;
  /** Prometheus text exposition format 0.0.4. */
  render(): string;
}

/** Content type of `Metrics.render`. */
export const metricsContentType = 'text/plain; version=0.0.4; charset=utf-8';

/** Seconds from 100 µs to 10 s: latencies of a local system. */
export const latencyBuckets: readonly number[] = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];

interface Family {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly options: MetricOptions;
  /** The object handed to callers; the same one each time the name is asked for. */
  readonly metric: unknown;
  samples(): string[];
}

export function createMetrics(): Metrics {
  const families = new Map<string, Family>();
  const updates = new Set<() => void>();

  function declare<M>(type: Family['type'], options: MetricOptions, make: () => Made<M>): M {
    const existing = families.get(options.name);
    if (existing === undefined) {
      const made = make();
      families.set(options.name, { type, options, ...made });
      return made.metric;
    }
    if (existing.type !== type) throw new TypeError(`metric ${options.name} is a ${existing.type}, not a ${type}`);
    // The type tag was just compared, so this is the object that an earlier call with the same type made.
    return existing.metric as M;
  }

  return {
    counter: (options) => declare('counter', options, () => makeCounter(options)),
    gauge: (options) => declare('gauge', options, () => makeGauge(options)),
    histogram: (options) => declare('histogram', options, () => makeHistogram(options)),
    observed: (options, read, type = 'gauge') =>
      declare<void>(type, options, () => ({ metric: undefined, samples: () => [`${options.name} ${read()}`] })),
    beforeRender(update) {
      updates.add(update);
      return { [Symbol.dispose]: () => void updates.delete(update) };
    },
    render() {
      for (const update of updates) update();
      return [...families.values()].map(renderFamily).join('');
    },
  };
}

interface Made<M> {
  readonly metric: M;
  samples(): string[];
}

function renderFamily({ type, options, samples }: Family): string {
  const lines = samples();
  if (lines.length === 0 && options.labels?.length) return '';
  const help = options.help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
  return `# HELP ${options.name} ${help}\n# TYPE ${options.name} ${type}\n${lines.map((line) => line + '\n').join('')}`;
}

/** `{a="1",b="2"}` in the declared order; '' for a metric without labels. Throws when the labels are not the declared. */
function seriesKey(options: MetricOptions, labels: Labels = {}): string {
  const names = options.labels ?? [];
  if (Object.keys(labels).length !== names.length) throw new TypeError(wrongLabels(options, labels));
  if (names.length === 0) return '';
  return `{${names.map((name) => `${name}="${escapeLabel(labelValue(options, labels, name))}"`).join(',')}}`;
}

function labelValue(options: MetricOptions, labels: Labels, name: string): string {
  const value = labels[name];
  if (value === undefined) throw new TypeError(wrongLabels(options, labels));
  return value;
}

function wrongLabels(options: MetricOptions, labels: Labels): string {
  return `metric ${options.name} has labels [${(options.labels ?? []).join(', ')}], got [${Object.keys(labels).join(', ')}]`;
}

function escapeLabel(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

function makeCounter(options: MetricOptions): Made<Counter> {
  const series = newSeries(options);
  const metric: Counter = {
    inc(labels, by = 1) {
      if (by < 0) throw new RangeError(`counter ${options.name} cannot go down`);
      const key = seriesKey(options, labels);
      series.set(key, (series.get(key) ?? 0) + by);
    },
    value: (labels) => series.get(seriesKey(options, labels)) ?? 0,
  };
  return { metric, samples: () => seriesLines(options.name, series) };
}

function makeGauge(options: MetricOptions): Made<Gauge> {
  const series = newSeries(options);
  const metric: Gauge = {
    set: (value, labels) => void series.set(seriesKey(options, labels), value),
    add(by, labels) {
      const key = seriesKey(options, labels);
      series.set(key, (series.get(key) ?? 0) + by);
    },
    remove: (labels) => void series.delete(seriesKey(options, labels)),
    value: (labels) => series.get(seriesKey(options, labels)) ?? 0,
  };
  return { metric, samples: () => seriesLines(options.name, series) };
}

/** A metric without labels shows 0 before its first change; one with labels shows nothing. */
function newSeries(options: MetricOptions): Map<string, number> {
  return new Map(options.labels?.length ? [] : [['', 0]]);
}

function seriesLines(name: string, series: ReadonlyMap<string, number>): string[] {
  return [...series].map(([key, value]) => `${name}${key} ${value}`);
}

interface Distribution {
  readonly buckets: number[];
  count: number;
  sum: number;
}

function makeHistogram(options: HistogramOptions): Made<Histogram> {
  const bounds = options.buckets ?? latencyBuckets;
  const series = new Map<string, Distribution>();
  const entryOf = (labels: Labels | undefined): Distribution => {
    const key = seriesKey(options, labels);
    const entry = series.get(key) ?? { buckets: bounds.map(() => 0), count: 0, sum: 0 };
    series.set(key, entry);
    return entry;
  };
  const metric: Histogram = {
    observe(value, labels) {
      const entry = entryOf(labels);
      const index = bounds.findIndex((bound) => value <= bound);
      if (index >= 0) entry.buckets[index] = (entry.buckets[index] ?? 0) + 1;
      entry.count += 1;
      entry.sum += value;
    },
    add(counts, sum, labels) {
      const entry = entryOf(labels);
      for (const [index, count] of Array.from(counts).entries()) {
        if (index < bounds.length) entry.buckets[index] = (entry.buckets[index] ?? 0) + count;
        entry.count += count;
      }
      entry.sum += sum;
    },
    count: (labels) => series.get(seriesKey(options, labels))?.count ?? 0,
    sum: (labels) => series.get(seriesKey(options, labels))?.sum ?? 0,
  };
  return {
    metric,
    samples: () => [...series].flatMap(([key, entry]) => histogramLines(options.name, key, bounds, entry)),
  };
}

function histogramLines(name: string, key: string, bounds: readonly number[], entry: Distribution): string[] {
  const withBound = (bound: number | '+Inf') => (key === '' ? `{le="${bound}"}` : `${key.slice(0, -1)},le="${bound}"}`);
  let below = 0;
  const lines = bounds.map((bound, index) => {
    below += entry.buckets[index] ?? 0;
    return `${name}_bucket${withBound(bound)} ${below}`;
  });
  return [
    ...lines,
    `${name}_bucket${withBound('+Inf')} ${entry.count}`,
    `${name}_sum${key} ${entry.sum}`,
    `${name}_count${key} ${entry.count}`,
  ];
}
