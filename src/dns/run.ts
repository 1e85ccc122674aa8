import { Namespace } from '../api/core/namespace.ts';
import { Pod } from '../api/core/pod.ts';
import { Service } from '../api/core/service.ts';
import { EndpointSlice } from '../api/discovery/endpoint-slice.ts';
import { advertise } from './advertise.ts';
import type { Dns, DnsConfig } from './config.ts';
import { createForwarder } from './forward/forwarder.ts';
import { isOwnAddress } from './forward/own-address.ts';
import { followCluster } from './follow-cluster.ts';
import { listenAll } from './listen/listen-all.ts';
import { NegativeReplies } from './negative.ts';
import { createRecords } from './records.ts';
import { ReplyMemo } from './reply-memo.ts';
import { createResponder } from './responder.ts';

/**
 * Starts the DNS server: restores the last known state, listens, and follows the cluster. Resolves when it answers on all
 * addresses; rejects with the system's error when one cannot be had.
 */
export async function startDns(config: DnsConfig): Promise<Dns> {
  const {
    caches,
    logger,
    metrics,
    listen,
    upstreams = [],
    advertise: advertising,
    clusterDomain = 'cluster.local',
  } = config;
  const stop = new AbortController();
  const ownIp = advertising?.serviceIp;
  const records = createRecords({
    clusterDomain,
    cidrs: config.cidrs,
    ttlSeconds: config.ttlSeconds,
    pods: config.pods,
    serverAddresses: ownIp ? [ownIp] : listen.map(({ address }) => address),
  });
  const others = upstreams.filter((upstream) => !isOwnAddress(upstream, listen));
  if (others.length < upstreams.length)
    logger.warn('left out upstream servers that are this server itself', { upstreams });
  const resolver =
    others.length > 0 ? createForwarder({ upstreams: others, logger, metrics, now: Date.now }) : undefined;

  const following = await followCluster({
    records,
    caches: {
      service: caches.of(Service),
      slice: caches.of(EndpointSlice),
      namespace: caches.of(Namespace),
      pod: config.pods === 'verified' ? caches.of(Pod) : undefined,
    },
    dataDir: config.dataDir,
    logger,
    metrics,
    now: Date.now,
  });
  const context = {
    records,
    negatives: new NegativeReplies(records),
    memo: new ReplyMemo(),
    resolver,
    knowledge: following.knowledge,
  };
  const responder = createResponder({ context, logger, metrics });
  const listeners = await listenAll(listen, responder, config.udp ?? 'auto', logger);
  const advertised = advertising
    ? advertise({ config: advertising, client: config.client, caches, logger, signal: stop.signal })
    : Promise.resolve();
  logger.info('answering', { listen: listeners.listening, udp: listeners.udp, zone: clusterDomain, upstreams: others });

  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    stop.abort();
    await listeners[Symbol.asyncDispose]();
    await resolver?.[Symbol.asyncDispose]();
    await Promise.all([following[Symbol.asyncDispose](), advertised]);
    responder[Symbol.dispose]();
  };
  const dispose = (): Promise<void> => (closing ??= close());
  config.signal?.addEventListener('abort', () => void dispose(), { once: true });
  if (config.signal?.aborted) await dispose();
  return {
    listening: listeners.listening,
    udp: listeners.udp,
    synced: following.synced,
    [Symbol.asyncDispose]: dispose,
  };
}
