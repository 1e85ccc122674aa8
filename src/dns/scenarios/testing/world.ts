import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EndpointSlice } from '../../../api/discovery/endpoint-slice.ts';
import { createCaches } from '../../../client/caches.ts';
import type { Caches } from '../../../client/caches.ts';
import { createFakeApi } from '../../../client/fake.ts';
import { TransportError } from '../../../client/client.ts';
import { FakeClock } from '../../../observe/fake-clock.ts';
import { silentLogger } from '../../../observe/log.ts';
import { createMetrics } from '../../../observe/metrics.ts';
import type { Client, Transport } from '../../client.ts';
import { dnsService, lameDuck, sendsClients } from '../../lame-duck.ts';
import { QueryCounts } from '../../metrics.ts';
import { createResponder } from '../../responder.ts';
import type { Responder } from '../../responder.ts';
import { ServerSet } from '../../server-set.ts';
import type { DnsSettings } from '../../settings/settings.ts';
import { ScriptedUpstreams } from './upstreams.ts';

const startMs = Date.UTC(2026, 0, 1);
/** Where an EndpointSlice of the DNS Service sends clients to this server. */
const ownAddress = '10.244.0.53';

/** One DNS server as it runs, without its sockets: settings, caches, chain and state file are the real ones. */
interface Running extends AsyncDisposable {
  readonly responder: Responder;
  readonly caches: Caches;
  readonly queries: () => number;
  readonly findLoops: () => void;
}

/** A DNS server, the cluster it reads, and the servers it asks, at a time that only the scenario moves. */
export class World implements AsyncDisposable {
  readonly clock = new FakeClock(startMs);
  readonly api = createFakeApi({ now: this.clock.now });
  readonly upstreams: ScriptedUpstreams;
  readonly #folder = mkdtempSync(join(tmpdir(), 'fairlead-scenario-'));
  #metrics = createMetrics();
  #running: Running | undefined;
  /** It was told to end, and did. */
  #hasEnded = false;

  constructor() {
    this.upstreams = new ScriptedUpstreams(this.clock, (packet, from) => this.ask(packet, 'udp', from));
  }

  /** Whether it runs, or did until it was told to end. */
  get isStarted(): boolean {
    return this.#running !== undefined || this.#hasEnded;
  }

  /** The metrics of the server that runs, as it shows them. */
  get metrics(): string {
    return this.#metrics.render();
  }

  /** Starts the server; one that runs is stopped before, and writes its state down. */
  async start(settings: DnsSettings): Promise<void> {
    await this.stop();
    this.#hasEnded = false;
    this.#running = await this.#run(settings);
    this.#running.findLoops();
    await this.clock.settle();
  }

  async stop(): Promise<void> {
    await this.#running?.[Symbol.asyncDispose]();
    this.#running = undefined;
  }

  /** Tells the server to end within `mostMs`. */
  leave(mostMs: number): void {
    const running = this.#running;
    if (running === undefined) return;
    const isAdvertised = (): boolean =>
      sendsClients(running.caches.of(EndpointSlice).list(), dnsService, new Set([ownAddress]));
    void lameDuck({ clock: this.clock, mostMs, isAdvertised, queries: running.queries })
      .then(() => (this.#hasEnded = true))
      .then(() => this.stop());
  }

  /** The API server does not answer, until it is back; open watches end. */
  setAway(isAway: boolean): void {
    this.api.intercept = isAway ? () => new TransportError('connect ECONNREFUSED') : undefined;
    if (isAway) this.api.disconnect();
  }

  /** Asks as the listeners do; empty when there is no answer. */
  async ask(packet: Buffer, transport: Transport, from: string): Promise<Buffer> {
    if (this.#hasEnded) return Buffer.alloc(0);
    const responder = this.#running?.responder;
    if (responder === undefined) throw new Error('the server does not run');
    const out = Buffer.alloc(65_535);
    if (transport === 'udp') {
      const length = responder.quick(packet, 0, packet.length, out, 0);
      if (length > 0) return out.subarray(0, length);
    }
    const client: Client = { transport, address: () => from };
    const answered = await responder.answer(packet, client);
    return out.subarray(0, answered === undefined ? 0 : responder.write(answered, out, 0));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #run(settings: DnsSettings): Promise<Running> {
    this.#metrics = createMetrics();
    await using stack = new AsyncDisposableStack();
    const caches: Caches = stack.use(createCaches(this.api.client, { ...this.#own, clock: this.clock, random: half }));
    const machine = { clock: this.clock, network: this.upstreams, hasIpv6: () => false, random: half };
    const config = { client: this.api.client, caches, settings, dataDir: this.#folder, machine, ...this.#own };
    const set = stack.use(new ServerSet(config));
    const prepared = await set.prepare(settings);
    await prepared.commit();
    const servers = prepared.listeners.flatMap((listener) => listener.servers);
    const identity = { name: '', cookieSecret: Buffer.alloc(16, 7), idleMs: 10_000, now: this.clock.now };
    const counts = stack.use(new QueryCounts(this.#metrics));
    const where = { transport: 'dns', address: '127.0.0.1', port: 53 } as const;
    const given = { servers: [...new Set(servers)], where, identity, counts, logger: silentLogger };
    const responder = stack.use(createResponder(given));
    const owned = stack.move();
    return {
      responder,
      caches,
      queries: () => counts.asked(),
      findLoops: () => set.resolvers.forEach((resolver) => void resolver.findLoops()),
      [Symbol.asyncDispose]: () => owned.disposeAsync(),
    };
  }

  get #own() {
    return { logger: silentLogger, metrics: this.#metrics };
  }
}

function half(): number {
  return 0.5;
}
