import type { DnsConfig, SocketAddress } from '../config.ts';
import type { Identity } from '../answer-options.ts';
import { createResponder } from '../responder.ts';
import type { Responder } from '../responder.ts';
import type { Server } from '../servers.ts';
import type { ListenSettings } from '../settings/settings.ts';
import type { Listener } from './listener.ts';
import { listenTcp } from './tcp.ts';
import { listenUdpBatch } from './udp-batch.ts';
import { listenUdpDgram } from './udp-dgram.ts';

/** Open listeners of all addresses. */
export interface Listeners extends AsyncDisposable {
  readonly listening: readonly SocketAddress[];
  readonly udp: 'batch' | 'dgram';
}

/** An address with the servers behind it. */
export interface ListenerServers {
  readonly where: ListenSettings;
  readonly servers: readonly Server[];
}

/** Opens TCP and UDP on every address, on one port each. When one cannot be had, closes the others and rejects. */
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
  const listening: SocketAddress[] = [];
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
      const tcp = await listenTcp(where, responder);
      open.push(tcp);
      // With port 0 the kernel chose one for TCP: UDP takes the same.
      open.push(await openUdp({ ...where, port: tcp.port }, responder));
      listening.push({ address: tcp.address, port: tcp.port });
    }
  } catch (error) {
    await close();
    throw error;
  }
  return { listening, udp: mode, [Symbol.asyncDispose]: close };
}

/** Errors that plain sockets would have too. */
function isAddressError(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'EADDRINUSE' || code === 'EADDRNOTAVAIL' || code === 'EACCES';
}
