import { readFile } from 'node:fs/promises';
import type { TlsOptions } from 'node:tls';
import type { DnsConfig, SocketAddress } from '../config.ts';
import type { Identity } from '../answer-options.ts';
import { createResponder } from '../responder.ts';
import type { Responder } from '../responder.ts';
import type { Server } from '../servers.ts';
import type { ListenSettings, TlsSettings } from '../settings/settings.ts';
import { listenHttps } from './https.ts';
import type { Listener } from './listener.ts';
import { listenTcp } from './tcp.ts';
import { listenUdpBatch } from './udp-batch.ts';
import { listenUdpDgram } from './udp-dgram.ts';

/** Open listeners of all addresses. */
export interface Listeners extends AsyncDisposable {
  readonly listening: readonly ListenSettings[];
  readonly udp: 'batch' | 'dgram';
}

/** An address with the servers behind it. */
export interface ListenerServers {
  readonly where: ListenSettings;
  readonly servers: readonly Server[];
}

/** Opens TCP and UDP, TLS or HTTPS on every address; TCP and UDP on one port each. When one cannot be had, closes the others and rejects. */
export async function listenAll(
  listeners: readonly ListenerServers[],
  {
    udp = 'auto',
    identity,
    logger,
    metrics,
  }: Pick<DnsConfig, 'udp' | 'logger' | 'metrics'> & { readonly identity: Identity },
): Promise<Listeners> {
  const open: Listener[] = [];
  const responders: Responder[] = [];
  const listening: ListenSettings[] = [];
  let mode: 'batch' | 'dgram' = udp === 'dgram' || process.platform !== 'linux' ? 'dgram' : 'batch';
  const close = async (): Promise<void> => {
    await Promise.all(open.map((listener) => listener[Symbol.asyncDispose]()));
    for (const responder of responders) responder[Symbol.dispose]();
  };
  const openUdp = async (where: SocketAddress, responder: Responder): Promise<Listener> => {
    if (mode === 'dgram') return listenUdpDgram(where, responder);
    try {
      return listenUdpBatch(where, responder);
    } catch (error) {
      if (udp === 'batch' || isAddressError(error)) throw error;
      logger.warn('batched UDP does not work here; using plain sockets', { error });
      mode = 'dgram';
      return listenUdpDgram(where, responder);
    }
  };
  try {
    for (const { where, servers } of listeners) {
      const responder = createResponder({ servers, identity, logger, metrics });
      responders.push(responder);
      const stream = await openStream(where, servers, responder);
      open.push(stream);
      // With port 0 the kernel chose one for TCP: UDP takes the same.
      if (where.transport === 'dns') open.push(await openUdp({ ...where, port: stream.port }, responder));
      listening.push({ transport: where.transport, address: stream.address, port: stream.port });
    }
  } catch (error) {
    await close();
    throw error;
  }
  return { listening, udp: mode, [Symbol.asyncDispose]: close };
}

/** TCP, or what is spoken over TLS with the certificate of the listener's first server. */
async function openStream(where: ListenSettings, servers: readonly Server[], responder: Responder): Promise<Listener> {
  if (where.transport === 'dns') return listenTcp(where, responder);
  const tls = servers.find((server) => server.tls !== undefined)?.tls;
  if (tls === undefined)
    throw new Error(`${where.transport}://${where.address}:${where.port} needs a certificate and a key`);
  const options = await readTls(tls);
  return where.transport === 'tls' ? listenTcp(where, responder, {}, options) : listenHttps(where, responder, options);
}

/** Rejects with the system's error for a file that cannot be read. */
async function readTls({ certificate, key, clientAuthority }: TlsSettings): Promise<TlsOptions> {
  const authority = clientAuthority === undefined ? undefined : await readFile(clientAuthority);
  return {
    cert: await readFile(certificate),
    key: await readFile(key),
    minVersion: 'TLSv1.2',
    ...(authority === undefined ? {} : { ca: authority, requestCert: true, rejectUnauthorized: true }),
  };
}

/** Errors that plain sockets would have too. */
function isAddressError(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'EADDRINUSE' || code === 'EADDRNOTAVAIL' || code === 'EACCES';
}
