import { setTimeout as delay } from 'node:timers/promises';
import { Node } from '../api/core/node.ts';
import { Service } from '../api/core/service.ts';
import { EndpointSlice } from '../api/discovery/endpoint-slice.ts';
import type { Cache, Change } from '../client/caches.ts';
import { createEventRecorder, type EventRecorder } from '../client/event-recorder.ts';
import { createRouter, type ObjectChange, type Router, type RouterChanges } from '../routing/router.ts';
import { choosePlane, type PlaneChoice } from './choose-plane.ts';
import type { Proxy, ProxyConfig } from './config.ts';
import type { Dataplane } from './dataplane.ts';
import { HealthChecks } from './health-checks.ts';
import { proxyMetrics } from './metrics.ts';
import { createNftablesPlane } from './nftables/plane.ts';
import { Programmer } from './programmer.ts';
import { loadFrontends, removeFrontends, saveFrontends } from './state-file.ts';
import { createUserspacePlane } from './userspace/plane.ts';

/** How long a start waits for the API before it goes on from the last known state. */
const patienceMs = 500;
/** The last known state is written at most this often. */
const saveEveryMs = 10_000;

/**
 * Starts the node proxy: takes over what an earlier one left, follows Services, EndpointSlices and this Node, and keeps
 * the plane equal to what they mean. While the API is away everything stays in force.
 *
 * Resolves when the plane has been adopted: with the API's state, or after half a second without it with the last known
 * one. Rejects when the plane that was asked for cannot run here.
 */
export async function startProxy(config: ProxyConfig): Promise<Proxy> {
  const choice: PlaneChoice = config.dataplane
    ? { plane: 'userspace', reason: 'given' }
    : choosePlane(config.plane ?? 'auto');
  const plane = config.dataplane ?? openPlane(choice, config);
  const stop = new AbortController();
  const events = createEventRecorder({
    client: config.client,
    component: 'proxy',
    host: config.nodeName,
    logger: config.logger,
  });
  const programmer = new Programmer({
    plane,
    metrics: proxyMetrics(config.metrics),
    logger: config.logger,
    signal: stop.signal,
    onRefused: (frontend, reason) => reportRefusal(config, events, frontend.service, frontend.key, reason),
    now: Date.now,
  });
  const router = createRouter({ nodeName: config.nodeName });
  const checks = new HealthChecks(config.logger, (check, error) =>
    reportEvent(config, events, check.service, 'FailedToStartServiceHealthcheck', error.message),
  );
  const following = follow(config, router, programmer, checks);
  const saving = saveRegularly(config, programmer, stop.signal);
  await Promise.race([following.synced, delay(patienceMs, undefined, { signal: stop.signal })]);
  if (!programmer.isAdopted) await carryOn(config, programmer);
  config.logger.info('programming', { plane: choice.plane, reason: choice.reason });

  let closing: Promise<void> | undefined;
  const close = async (finish: () => Promise<void>): Promise<void> => {
    following[Symbol.dispose]();
    checks.close();
    await saving.save();
    stop.abort();
    await events[Symbol.asyncDispose]();
    await finish();
  };
  const dispose = (): Promise<void> => (closing ??= close(() => plane.close()));
  config.signal?.addEventListener('abort', () => void dispose(), { once: true });
  if (config.signal?.aborted) await dispose();
  return {
    choice,
    synced: following.synced,
    frontends: () => [...programmer.desired.values()],
    dump: () => plane.dump(),
    refused: () => programmer.refused,
    remove: () => (closing ??= close(() => removeEverything(config, plane))),
    [Symbol.asyncDispose]: dispose,
  };
}

function openPlane(choice: PlaneChoice, config: ProxyConfig): Dataplane {
  if (choice.plane === 'userspace') return createUserspacePlane(config.network);
  return createNftablesPlane({ network: config.network, logger: config.logger });
}

async function removeEverything(config: ProxyConfig, plane: Dataplane): Promise<void> {
  await plane.remove();
  if (config.dataDir !== undefined) await removeFrontends(config.dataDir);
}

/** Goes on from the last known state, when there is one; else waits for the API with the kernel as it is. */
async function carryOn(config: ProxyConfig, programmer: Programmer): Promise<void> {
  const saved = config.dataDir === undefined ? undefined : await loadFrontends(config.dataDir);
  if (saved === undefined || programmer.isAdopted) return;
  config.logger.warn('the API does not answer; going on from the last known state', { frontends: saved.length });
  await programmer.become(saved);
}

/** Feeds the caches through the router into the programmer, from the moment all of them are complete. */
function follow(
  config: ProxyConfig,
  router: Router,
  programmer: Programmer,
  checks: HealthChecks,
): Disposable & { readonly synced: Promise<void> } {
  const services = config.caches.of(Service);
  const slices = config.caches.of(EndpointSlice);
  const nodes = config.caches.of(Node, { fieldSelector: `metadata.name=${config.nodeName}` });
  let isComplete = false;
  const take = (changes: readonly ObjectChange[]): void => {
    const decided = router.apply(...changes);
    if (isComplete) pass(decided);
  };
  const pass = (decided: RouterChanges): void => {
    checks.apply(decided);
    if (decided.changed.length + decided.removed.length > 0) void programmer.push(decided);
  };
  const subscriptions = [
    listen(services, (old, current) => ({ type: 'service', old, new: current }), take),
    listen(slices, (old, current) => ({ type: 'slice', old, new: current }), take),
    listen(nodes, (old, current) => ({ type: 'node', old, new: current }), take),
  ];
  const synced = Promise.all([services.synced, slices.synced, nodes.synced]).then(async () => {
    isComplete = true;
    checks.apply({ healthChecks: [...router.healthChecks()], healthChecksRemoved: [] });
    await programmer.become(router.frontends());
  });
  return {
    synced,
    [Symbol.dispose]: () => {
      for (const subscription of subscriptions) subscription[Symbol.dispose]();
    },
  };
}

function listen<T>(
  cache: Cache<T>,
  toChange: (old: T | undefined, current: T | undefined) => ObjectChange,
  take: (changes: readonly ObjectChange[]) => void,
): Disposable {
  return cache.subscribe((changes: readonly Change<T>[]) => {
    take(changes.map(({ old, current }) => toChange(old, current)));
  });
}

/** Writes the desired frontends down when they changed, and once more on `save`. */
function saveRegularly(config: ProxyConfig, programmer: Programmer, signal: AbortSignal): { save(): Promise<void> } {
  const { dataDir, logger } = config;
  let saved = -1;
  const save = async (): Promise<void> => {
    if (dataDir === undefined || !programmer.isAdopted) return;
    const version = programmer.version;
    if (version === saved) return;
    saved = version;
    await saveFrontends(dataDir, programmer.desired.values()).catch((error: unknown) =>
      logger.warn('the last known state could not be written', { dataDir, error }),
    );
  };
  const timer = setInterval(() => void save(), saveEveryMs).unref();
  signal.addEventListener('abort', () => clearInterval(timer), { once: true });
  return { save };
}

function reportRefusal(config: ProxyConfig, events: EventRecorder, service: string, key: string, reason: string): void {
  config.logger.warn('a frontend is not in force', { service, frontend: key, reason });
  reportEvent(config, events, service, 'FrontendRefused', `${key} is not in force on ${config.nodeName}: ${reason}`);
}

function reportEvent(
  config: ProxyConfig,
  events: EventRecorder,
  service: string,
  reason: string,
  message: string,
): void {
  const [namespace, name = ''] = service.split('/');
  const object = config.caches.of(Service).get(name, namespace);
  if (object !== undefined) events.record(Service, object, { type: 'Warning', reason, message });
}
