import { isDeepStrictEqual } from 'node:util';
import type { Node } from '../api/core/node.ts';
import { giveBackMemory } from '../observe/memory.ts';
import type { Frontend } from '../routing/frontend.ts';
import { createRouter, type Router } from '../routing/router.ts';
import type { Proxy, ProxyConfig } from './config.ts';
import { type Dataplane, type NodeNetwork, refusalText } from './dataplane.ts';
import { follow } from './follow.ts';
import { HealthChecks } from './health-checks.ts';
import { serveHealth } from './health-server.ts';
import { type ProxyMetrics, proxyMetrics } from './metrics.ts';
import { serveMetrics } from './metrics-server.ts';
import { factsOf, livesOnLoopback, networkOf, type NodeFacts, noFacts } from './node-facts.ts';
import { nodePortHosts } from './node-ports.ts';
import { choosePlane, type PlaneChoice } from './open-plane.ts';
import { PlaneKeeper } from './plane-keeper.ts';
import { Programmer } from './programmer.ts';
import { ProxyHealth } from './proxy-health.ts';
import { createServiceEvents, type ServiceEvents } from './service-events.ts';
import { loadState, removeState } from './state-file.ts';
import { Silence } from './silence.ts';
import { StateSaver } from './state-saver.ts';

/** How long the API may be silent at a start before it goes on from the last known state. */
const patienceMs = 500;
/** How long after everything is in force the memory of the start is given back. */
const calmMs = 1000;
const defaultSyncPeriodMs = 30_000;

/**
 * Starts the node proxy: takes over what an earlier one left, follows Services, EndpointSlices and this Node, and keeps
 * the plane equal to what they mean. While the API is away everything stays in force. What another plane left is retired
 * once this one carries the traffic.
 *
 * Resolves when the plane has been adopted: with the API's state, or after half a second without a word of it with the
 * last known one. Rejects when the plane that was asked for cannot run here.
 */
export async function startProxy(config: ProxyConfig): Promise<Proxy> {
  const { network, logger, planeSettings } = config;
  const choice: PlaneChoice = config.dataplane
    ? { plane: 'userspace', reason: 'given' }
    : await choosePlane(config.plane ?? 'auto', { ...planeSettings, network, logger });
  const proxy = new RunningProxy(config, choice);
  await proxy.start();
  return proxy;
}

class RunningProxy implements Proxy {
  readonly synced: Promise<void>;
  readonly ports: Proxy['ports'];
  readonly #config: ProxyConfig;
  readonly #now: () => number;
  readonly #stop = new AbortController();
  readonly #stack = new DisposableStack();
  readonly #metrics: ProxyMetrics;
  readonly #health: ProxyHealth;
  readonly #events: ServiceEvents;
  readonly #router: Router;
  readonly #keeper: PlaneKeeper;
  readonly #programmer: Programmer;
  readonly #checks: HealthChecks;
  readonly #saver: StateSaver;
  readonly #silence = this.#stack.use(new Silence(patienceMs));
  #facts: NodeFacts = noFacts;
  /** Everything that the API server has is in the router. */
  #knowsApi = false;
  #closing: Promise<void> | undefined;

  constructor(config: ProxyConfig, choice: PlaneChoice) {
    this.#config = config;
    this.#now = config.now ?? Date.now;
    const syncPeriodMs = config.syncPeriodMs ?? defaultSyncPeriodMs;
    this.#metrics = proxyMetrics(config.metrics);
    this.#health = new ProxyHealth(2 * syncPeriodMs);
    this.#events = createServiceEvents(config, this.#metrics.news);
    this.#router = createRouter({
      nodeName: config.nodeName,
      allowExternalIps: config.allowExternalIps,
      allowLoopback: livesOnLoopback(config.network),
      defaults: config.defaults,
      now: this.#now,
    });
    this.#keeper = new PlaneKeeper({
      config,
      choice,
      network: () => this.#network,
      reopen: () => this.#programmer.reopen(),
    });
    this.#programmer = this.#createProgrammer(syncPeriodMs);
    this.#checks = this.#stack.use(this.#createHealthChecks());
    this.#saver = this.#stack.use(this.#createSaver());
    this.ports = { healthz: this.#serveHealth(), metrics: this.#serveMetrics() };
    this.synced = this.#follow();
  }

  async start(): Promise<void> {
    const { logger, signal } = this.#config;
    await Promise.race([this.synced, this.#silence.ended]);
    if (!this.#knowsApi) await this.#carryOn();
    if (this.#config.ownsCaches === true) void this.synced.then(() => this.#giveBackMemory());
    logger.info('programming', { plane: this.choice.plane, reason: this.choice.reason });
    signal?.addEventListener('abort', () => void this[Symbol.asyncDispose](), { once: true });
    if (signal?.aborted) await this[Symbol.asyncDispose]();
  }

  /** Once everything is in force, and there is a moment for it. */
  #giveBackMemory(): void {
    if (this.#stop.signal.aborted) return;
    const timer = setTimeout(giveBackMemory, calmMs).unref();
    this.#stack.defer(() => clearTimeout(timer));
  }

  get choice(): PlaneChoice {
    return this.#keeper.choice;
  }

  frontends() {
    return [...this.#programmer.desired.values()];
  }

  async dump() {
    return (await this.#programmer.plane?.dump()) ?? [];
  }

  refused() {
    return this.#programmer.refused;
  }

  remove(): Promise<void> {
    const { dataDir } = this.#config;
    return (this.#closing ??= this.#close(true, async (plane) => {
      await plane?.remove();
      if (dataDir !== undefined) await removeState(dataDir);
    }));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return (this.#closing ??= this.#close(false, async (plane) => plane?.close()));
  }

  async #close(removes: boolean, finish: (plane: Dataplane | undefined) => Promise<void>): Promise<void> {
    this.#stack.dispose();
    this.#stop.abort();
    await this.#programmer.settled();
    await this.#saver.save();
    await this.#events[Symbol.asyncDispose]();
    await this.#keeper.stop(removes);
    await finish(this.#programmer.plane);
  }

  #warn(service: string, reason: string, message: string): void {
    this.#events.tell({ service, type: 'Warning', reason, message });
  }

  get #network(): NodeNetwork {
    return networkOf(this.#config.network, this.#config.fromNode ?? {}, this.#facts);
  }

  #createProgrammer(retryRefusedMs: number): Programmer {
    const { logger, nodeName } = this.#config;
    return new Programmer({
      open: () => this.#keeper.open(),
      health: this.#health,
      metrics: this.#metrics,
      logger,
      signal: this.#stop.signal,
      retryRefusedMs,
      onRefused: ({ service }, refusal) => this.#warn(service, 'FrontendRefused', refusalText(refusal, nodeName)),
      now: this.#now,
    });
  }

  #createHealthChecks(): HealthChecks {
    const { nodeName } = this.#config;
    return new HealthChecks({
      addresses: () => nodePortHosts(this.#network),
      isHealthy: () => this.#health.isHealthy(this.#now()),
      onFailure: ({ service, port }, { message }) =>
        this.#warn(
          service,
          'FailedToStartServiceHealthcheck',
          `node ${nodeName} failed to start healthcheck ${service} on port ${port}: ${message}`,
        ),
    });
  }

  #createSaver(): StateSaver {
    const { dataDir, logger } = this.#config;
    const known = () => {
      const { version, isAdopted } = this.#programmer;
      return isAdopted ? { version, node: this.#facts } : undefined;
    };
    return new StateSaver({ dataDir, logger, known, frontends: () => this.frontends() });
  }

  #serveHealth(): Promise<number> | undefined {
    const { healthz, logger } = this.#config;
    if (healthz === undefined) return undefined;
    const onFailure = (error: Error) => logger.error('the health port cannot be had; trying again', { error });
    const options = { ...healthz, health: this.#health, metrics: this.#metrics, onFailure, now: this.#now };
    return this.#stack.use(serveHealth(options)).listening;
  }

  #serveMetrics(): Promise<number> | undefined {
    const { metricsAt, metrics, logger } = this.#config;
    if (metricsAt === undefined) return undefined;
    const onFailure = (error: Error) => logger.error('the metrics port cannot be had; trying again', { error });
    const options = { ...metricsAt, metrics, plane: () => this.choice.plane, onFailure };
    return this.#stack.use(serveMetrics(options)).listening;
  }

  /** Resolves when everything that the API server knows is in force. */
  #follow(): Promise<void> {
    const { promise: inForce, resolve } = Promise.withResolvers<void>();
    const following = follow(this.#config, this.#router, {
      heard: () => this.#silence.heard(),
      decided: (changes, cause) => {
        this.#metrics.serviceChanges.inc({}, cause.serviceChanges);
        this.#metrics.endpointChanges.inc({}, cause.endpointChanges);
        this.#checks.apply(changes);
        for (const notice of changes.notices) this.#events.tell(notice);
        if (changes.changed.length + changes.removed.length > 0) void this.#programmer.push(changes, cause);
      },
      complete: () => {
        this.#knowsApi = true;
        this.#checks.apply({ healthChecks: [...this.#router.healthChecks()], healthChecksRemoved: [] });
        for (const notice of this.#router.notices()) this.#events.tell(notice);
        resolve(this.#become(this.#router.frontends()));
      },
      sawNode: (node) => this.#sawNode(node),
      malformed: (service, problem) => this.#warn(service ?? '', 'InvalidObject', problem),
    });
    this.#stack.use(following);
    return inForce;
  }

  async #become(frontends: Iterable<Frontend>): Promise<void> {
    await this.#programmer.become(frontends);
    if (!this.#stop.signal.aborted) this.#keeper.retireOthers();
  }

  /** Goes on from the last known state, when there is one; else waits for the API with the kernel as it is. */
  async #carryOn(): Promise<void> {
    const { dataDir, logger } = this.#config;
    const saved = dataDir === undefined ? undefined : await loadState(dataDir);
    if (saved === undefined || this.#knowsApi) return;
    const { frontends, node } = saved;
    logger.warn('the API does not answer; going on from the last known state', { frontends: frontends.length });
    if (this.#facts === noFacts) this.#facts = node;
    await this.#become(frontends);
  }

  #sawNode(node: Node | undefined): void {
    this.#health.sawNode(node);
    if (node === undefined) return;
    this.#keeper.sawNode(node);
    const before = this.#network;
    this.#facts = factsOf(node);
    if (isDeepStrictEqual(before, this.#network)) return;
    this.#checks.reopen();
    void this.#programmer.reopen();
  }
}
