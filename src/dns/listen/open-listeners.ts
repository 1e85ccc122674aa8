import { readFile } from 'node:fs/promises';
import type { TlsOptions } from 'node:tls';
import type { Identity } from '../answer-options.ts';
import type { DnsConfig } from '../config.ts';
import type { Shadow } from '../shadow/shadow.ts';
import type { QueryCounts } from '../metrics.ts';
import { createResponder } from '../responder.ts';
import type { Responder } from '../responder.ts';
import type { Server } from '../servers.ts';
import type { ListenSettings, TlsSettings } from '../settings/settings.ts';
import { listenHttps } from './https.ts';
import type { DatagramListener, ListenAddress, StreamListener } from './listener.ts';
import { listenTcp } from './tcp.ts';
import { listenUdpBatch } from './udp-batch.ts';
import { listenUdpDgram } from './udp-dgram.ts';
import { WorkerPool } from '../workers/pool.ts';

/** An address with the servers behind it, in order. */
export interface ListenerServers {
  readonly where: ListenSettings;
  readonly servers: readonly Server[];
}

export interface OpenListenersOptions extends Pick<DnsConfig, 'udp' | 'logger'> {
  readonly counts: QueryCounts;
  readonly shadow?: Shadow;
  readonly identity: Identity;
  /** Other processes may listen at the same addresses. */
  readonly reusePort: boolean;
  /** Threads that answer UDP beside this one. */
  readonly workers: number;
}

/** One address in service. */
interface Open {
  readonly bound: ListenSettings;
  readonly responder: Responder;
  readonly stream: StreamListener;
  readonly datagrams: DatagramListener | undefined;
}

/**
 * The open sockets of all addresses: TCP and UDP on one port each, TLS or HTTPS. Other servers may come behind an address
 * while it is open.
 */
export class OpenListeners implements AsyncDisposable {
  readonly #options: OpenListenersOptions;
  #open = new Map<string, Open>();
  readonly #workers: WorkerPool | undefined;
  #udp: 'batch' | 'dgram';

  constructor(options: OpenListenersOptions) {
    this.#options = options;
    const isPlain = options.udp === 'dgram' || process.platform !== 'linux';
    this.#udp = isPlain ? 'dgram' : 'batch';
    this.#workers = isPlain || options.workers === 0 ? undefined : new WorkerPool(options.workers, options.logger);
  }

  /** The addresses in service, with the ports the kernel chose where 0 was asked for. */
  get listening(): readonly ListenSettings[] {
    return [...this.#open.values()].map(({ bound }) => bound);
  }

  get udp(): 'batch' | 'dgram' {
    return this.#udp;
  }

  /**
   * Puts exactly these addresses in service. When one cannot be had, rejects with the system's error, and everything is as
   * before. Addresses that stay are never closed; certificates are read again.
   */
  async become(wanted: readonly ListenerServers[]): Promise<void> {
    const added = new Map<string, Open>();
    const renewed: (() => Promise<void>)[] = [];
    try {
      for (const each of wanted) {
        const key = keyOf(each.where);
        const known = this.#open.get(key);
        if (known === undefined) added.set(key, await this.#openOne(each));
        else renewed.push(await renewal(known, each));
      }
    } catch (error) {
      await Promise.all([...added.values()].map(close));
      throw error;
    }
    await Promise.all(renewed.map((apply) => apply()));
    const next = new Map(
      wanted.map(({ where }) => keyOf(where)).map((key) => [key, added.get(key) ?? this.#open.get(key)]),
    );
    const gone = [...this.#open].filter(([key]) => !next.has(key)).map(([, open]) => open);
    this.#open = new Map([...next].filter((entry): entry is [string, Open] => entry[1] !== undefined));
    await Promise.all(gone.map(close));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const open = [...this.#open.values()];
    this.#open = new Map();
    await Promise.all(open.map(close));
    await this.#workers?.[Symbol.asyncDispose]();
  }

  async #openOne({ where, servers }: ListenerServers): Promise<Open> {
    const responder = createResponder({ servers, where, ...this.#options });
    await using stack = new AsyncDisposableStack();
    stack.defer(() => responder[Symbol.dispose]());
    const stream = stack.use(await openStream({ ...where, reusePort: this.#options.reusePort }, servers, responder));
    // With port 0 the kernel chose one for TCP: UDP takes the same.
    const at = { ...where, address: stream.address, port: stream.port };
    const shared = { ...at, reusePort: this.#options.reusePort };
    const datagrams = where.transport === 'dns' ? stack.use(await this.#openUdp(shared, responder)) : undefined;
    stack.move();
    return { bound: at, responder, stream, datagrams };
  }

  async #openUdp(where: ListenAddress, responder: Responder): Promise<DatagramListener> {
    if (this.#udp === 'dgram') return listenUdpDgram(where, responder);
    try {
      return this.#workers?.listen(where, responder) ?? listenUdpBatch(where, responder);
    } catch (error) {
      if (this.#options.udp === 'batch' || isAddressError(error)) throw error;
      this.#options.logger.warn('batched UDP does not work here; using plain sockets', { error });
      this.#udp = 'dgram';
      return listenUdpDgram(where, responder);
    }
  }
}

function keyOf({ transport, address, port }: ListenSettings): string {
  return `${transport} ${address} ${port}`;
}

async function close({ responder, stream, datagrams }: Open): Promise<void> {
  await Promise.all([stream[Symbol.asyncDispose](), datagrams?.[Symbol.asyncDispose]()]);
  responder[Symbol.dispose]();
}

/** TCP, or what is spoken over TLS with the certificate of the listener's first server that has one. */
async function openStream(
  where: ListenSettings & ListenAddress,
  servers: readonly Server[],
  responder: Responder,
): Promise<StreamListener> {
  if (where.transport === 'dns') return listenTcp(where, responder);
  const options = await readTls(where, servers);
  return where.transport === 'tls' ? listenTcp(where, responder, {}, options) : listenHttps(where, responder, options);
}

/** What changes an open address to other servers and today's certificate; reading may fail, applying may not. */
async function renewal(
  { responder, stream, datagrams }: Open,
  { where, servers }: ListenerServers,
): Promise<() => Promise<void>> {
  const options = where.transport === 'dns' ? undefined : await readTls(where, servers);
  return async () => {
    responder.become(servers);
    if (options !== undefined) stream.renew(options);
    await datagrams?.renew();
  };
}

/** Rejects with the system's error for a file that cannot be read. */
async function readTls(where: ListenSettings, servers: readonly Server[]): Promise<TlsOptions> {
  const tls: TlsSettings | undefined = servers.find((server) => server.tls !== undefined)?.tls;
  if (tls === undefined)
    throw new Error(`${where.transport}://${where.address}:${where.port} needs a certificate and a key`);
  const authority = tls.clientAuthority === undefined ? undefined : await readFile(tls.clientAuthority);
  return {
    cert: await readFile(tls.certificate),
    key: await readFile(tls.key),
    minVersion: 'TLSv1.2',
    ...(authority === undefined ? {} : { ca: authority, requestCert: true, rejectUnauthorized: true }),
  };
}

/** Errors that plain sockets would have too. */
function isAddressError(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'EADDRINUSE' || code === 'EADDRNOTAVAIL' || code === 'EACCES';
}
