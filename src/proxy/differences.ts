import { type Cidr, cidrContainsCidr, parseCidr } from '../lib/cidr.ts';
import type { Frontend, FrontendKey, Target } from '../routing/frontend.ts';
import type { Scheduler } from '../routing/scheduler.ts';
import { backendName } from './backend-name.ts';

/** One thing about a frontend that is not in force as it should be. */
export interface Aspect {
  readonly what:
    | 'verdict'
    | 'backends'
    | 'weights'
    | 'affinity'
    | 'source ranges'
    | 'masquerade'
    | 'ports'
    | 'scheduler';
  /** Whose: callers inside or outside the cluster; undefined when it is the same for all. */
  readonly callers?: 'inside' | 'outside';
  /** What should be in force and is not; '' when the difference is only that there is more. */
  readonly wanted: string;
  /** What is in force and should not be; '' when it is only less. */
  readonly found: string;
}

/** A frontend whose state in the kernel is not what it should be. */
export interface Difference {
  readonly key: FrontendKey;
  /** `namespace/name`; '' when the kernel alone knows the frontend and does not tell whose it is. */
  readonly service: string;
  readonly kind: 'missing' | 'extra' | 'different';
  /** Of a `different` one. */
  readonly aspects: readonly Aspect[];
}

/** How far the share of a backend may be from its weight's: planes round shares to whole buckets. */
const shareTolerance = 0.01;
/** The same where clients are hashed: their shares come out of many draws. */
const hashedShareTolerance = 0.15;
const hashing: ReadonlySet<Frontend['scheduler']> = new Set(['sh', 'dh', 'mh']);

/**
 * Compares what should be in force with what a plane read back from the kernel (`Dataplane.dump`), by key. What the kernel
 * does not hold (drain times, Pods, weights of 0) cannot differ. Pure.
 */
export function differencesBetween(wanted: Iterable<Frontend>, found: Iterable<Frontend>): Difference[] {
  const left = new Map<FrontendKey, Frontend>();
  for (const frontend of found) left.set(frontend.key, frontend);
  const differences: Difference[] = [];
  for (const frontend of wanted) {
    const difference = differenceOf(frontend, left.get(frontend.key));
    left.delete(frontend.key);
    if (difference !== undefined) differences.push(difference);
  }
  for (const { key, service } of left.values()) differences.push({ key, service, kind: 'extra', aspects: [] });
  return differences.sort((a, b) => (a.service === b.service ? compare(a.key, b.key) : compare(a.service, b.service)));
}

/** What is wrong with one frontend; undefined when it is in force exactly so. */
export function differenceOf(wanted: Frontend, found: Frontend | undefined): Difference | undefined {
  const { key, service } = wanted;
  if (found === undefined) return { key, service, kind: 'missing', aspects: [] };
  const aspects = aspectsOf(wanted, found);
  return aspects.length === 0 ? undefined : { key, service, kind: 'different', aspects };
}

/** The difference without weights that are still on their way up (slow start): how far they are the proxy alone knows. */
export function withoutGrowth(difference: Difference | undefined, isStartingSlowly: boolean): Difference | undefined {
  if (difference?.kind !== 'different' || !isStartingSlowly) return difference;
  const aspects = difference.aspects.filter(({ what }) => what !== 'weights');
  return aspects.length === 0 ? undefined : { ...difference, aspects };
}

/** `backends for outside: not in force 10.244.0.3:8080; still in force 10.244.0.4:8080`. */
export function aspectText({ what, callers, wanted, found }: Aspect): string {
  const parts = [
    ...(wanted === '' ? [] : [`not in force ${wanted}`]),
    ...(found === '' ? [] : [`still in force ${found}`]),
  ];
  return `${what}${callers === undefined ? '' : ` for ${callers}`}: ${parts.join('; ')}`;
}

function aspectsOf(wanted: Frontend, found: Frontend): Aspect[] {
  const aspects = targetAspects(wanted, found);
  const isForwarding = [wanted.internal, wanted.external].some(({ verdict }) => verdict === 'forward');
  const texts: [Aspect['what'], string, string, boolean][] = [
    ['ports', portsText(wanted), portsText(found), true],
    ['affinity', affinityText(wanted), affinityText(found), isForwarding],
    ['masquerade', wanted.masquerade, found.masquerade, isForwarding],
    [
      'scheduler',
      wanted.scheduler ?? '',
      found.scheduler ?? '',
      isForwarding && found.scheduler !== undefined && !isSameScheduler(wanted.scheduler, found.scheduler),
    ],
  ];
  for (const [what, should, is, isTold] of texts)
    if (isTold && should !== is) aspects.push({ what, wanted: should, found: is });
  if (isForwarding && !admitSame(wanted, found)) {
    aspects.push({ what: 'source ranges', wanted: rangesText(wanted), found: rangesText(found) });
  }
  return aspects;
}

/** Planes that do the same for two schedulers tell one of them. */
const toldAs: Readonly<Partial<Record<Scheduler, Scheduler>>> = { sh: 'mh', rr: 'wrr' };

function isSameScheduler(wanted: Scheduler | undefined, found: Scheduler): boolean {
  return wanted === undefined || wanted === found || toldAs[wanted] === found;
}

function targetAspects(wanted: Frontend, found: Frontend): Aspect[] {
  const inside = compareTargets(wanted, wanted.internal, found.internal);
  const outside = compareTargets(wanted, wanted.external, found.external);
  if (JSON.stringify(inside) === JSON.stringify(outside)) return inside;
  return [
    ...inside.map((aspect): Aspect => ({ ...aspect, callers: 'inside' })),
    ...outside.map((aspect): Aspect => ({ ...aspect, callers: 'outside' })),
  ];
}

function compareTargets({ scheduler }: Frontend, wanted: Target, found: Target): Aspect[] {
  const [should, is] = [verdictOf(wanted), verdictOf(found)];
  const aspects: Aspect[] = should === is ? [] : [{ what: 'verdict', wanted: should, found: is }];
  const [wantedShares, foundShares] = [sharesOf(wanted), sharesOf(found)];
  const missing = [...wantedShares.keys()].filter((name) => !foundShares.has(name));
  const extra = [...foundShares.keys()].filter((name) => !wantedShares.has(name));
  if (missing.length + extra.length > 0) {
    return [...aspects, { what: 'backends', wanted: missing.join(', '), found: extra.join(', ') }];
  }
  const tolerance = hashing.has(scheduler) ? hashedShareTolerance : shareTolerance;
  const isOff = (name: string, share: number) => Math.abs(share - (foundShares.get(name) ?? 0)) > tolerance;
  const uneven = [...wantedShares].filter(([name, share]) => isOff(name, share));
  // Planes that take turns do not look at weights under `rr`.
  const isEven = scheduler === 'rr' && ![...wantedShares.keys()].some((name) => isOff(name, 1 / wantedShares.size));
  if (uneven.length === 0 || isEven) return aspects;
  const text = (shares: ReadonlyMap<string, number>) =>
    uneven.map(([name]) => `${name} ${percent(shares.get(name) ?? 0)}`).join(', ');
  return [...aspects, { what: 'weights', wanted: text(wantedShares), found: text(foundShares) }];
}

/** A forward to nobody, which a table with elements taken out shows, is told apart from one to somebody. */
function verdictOf({ verdict, backends }: Target): string {
  return verdict === 'forward' && !backends.some(({ weight }) => weight > 0) ? 'forward to nobody' : verdict;
}

function sharesOf({ backends }: Target): Map<string, number> {
  const open = backends.filter(({ weight }) => weight > 0);
  const total = open.reduce((sum, { weight }) => sum + weight, 0);
  return new Map(open.map((backend) => [backendName(backend), backend.weight / total]));
}

/** `33.3 %`. */
export function percent(share: number): string {
  return `${Math.round(share * 1000) / 10} %`;
}

function portsText({ port, lastPort }: Frontend): string {
  return lastPort === undefined ? `${port}` : `${port}-${lastPort}`;
}

function affinityText({ affinity }: Frontend): string {
  return affinity === undefined ? 'none' : `${affinity.timeoutSeconds} s`;
}

function rangesText({ sourceRanges }: Frontend): string {
  return sourceRanges === undefined ? 'everyone' : sourceRanges.join(', ') || 'nobody';
}

/** Whether the same sources are let in: ranges inside others, and those of the other family, make no difference. */
function admitSame(wanted: Frontend, found: Frontend): boolean {
  if (wanted.sourceRanges === undefined || found.sourceRanges === undefined) {
    return wanted.sourceRanges === found.sourceRanges;
  }
  const [a, b] = [rangesOf(wanted), rangesOf(found)];
  const covers = (outer: typeof a, inner: typeof a) =>
    inner.every((each) => outer.some((one) => cidrContainsCidr(one, each)));
  return covers(a, b) && covers(b, a);
}

function rangesOf({ sourceRanges = [], family }: Frontend): Cidr[] {
  const ranges = sourceRanges.map((text) => parseCidr(text.trim())).filter((cidr) => cidr !== undefined);
  return ranges.filter((cidr) => cidr.family === family);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
