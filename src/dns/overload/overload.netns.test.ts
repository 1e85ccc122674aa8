import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { isolateNetwork } from '../../linux/namespaces.ts';
import { bindUdp } from '../../linux/udp-batch.ts';
import { systemClock } from '../../observe/clock.ts';
import { silentLogger } from '../../observe/log.ts';
import { createMetrics } from '../../observe/metrics.ts';
import { dnsNamespace, dnsService, testResponder } from '../fixtures.ts';
import { createSystemNetwork } from '../forward/system-network.ts';
import { createForwarder } from '../forward/forwarder.ts';
import { listenUdpBatch } from '../listen/udp-batch.ts';
import type { Responder } from '../responder.ts';
import { noCache } from '../settings/cluster-server.ts';
import { rcodes } from '../wire/types.ts';
import { answeredShare, askSteadily } from './testing/asker.ts';

before(() => isolateNetwork());

const changes = [
  { type: 'namespace', new: dnsNamespace() },
  { type: 'service', new: dnsService() },
] as const;
const where = { address: '127.0.0.1', port: 0 };
const cart = { name: 'cart.shop.svc.cluster.local', numbers: 1, seconds: 2 };

/** A responder that takes 50 µs for each question: 20,000 a second at most. */
function slow(responder: Responder): Responder {
  return {
    ...responder,
    quick(...packet) {
      const endMs = performance.now() + 0.05;
      while (performance.now() < endMs);
      return responder.quick(...packet);
    },
  };
}

test('beside a client that asks far more than can be answered, one that asks little is answered', async () => {
  const { responder } = testResponder({ changes });
  await using listener = listenUdpBatch(where, slow(responder));
  const { port } = listener;
  const [flood, polite] = await Promise.all([
    askSteadily({ ...cart, port, from: '127.0.0.2', perSecond: 100_000 }),
    askSteadily({ ...cart, port, from: '127.0.0.3', perSecond: 300 }),
  ]);
  const shares = { flood: answeredShare(flood), polite: answeredShare(polite) };
  assert.ok(shares.flood < 0.3, `it was no flood: ${JSON.stringify(shares)}`);
  // Without shares both would get the same.
  assert.ok(shares.polite > 0.6, JSON.stringify(shares));
});

test('names of the cluster are answered while nobody answers a flood of questions for others', async () => {
  using silent = bindUdp({ address: '127.0.0.9', port: 0 });
  const upstream = { address: '127.0.0.9', port: silent.port, transport: 'dns', serverName: undefined } as const;
  const forward = {
    zones: ['.'],
    except: [],
    upstreams: [upstream],
    policy: 'sequential',
    healthCheckMs: 0,
    maxConcurrent: 100,
    transport: 'udp',
  } as const;
  const metrics = createMetrics();
  await using resolver = createForwarder({
    forwards: [forward],
    cache: noCache,
    clock: systemClock,
    network: createSystemNetwork(),
    labels: { server: '', zones: '', view: '' },
    logger: silentLogger,
    metrics,
  });
  const { responder } = testResponder({ changes, resolver });
  await using listener = listenUdpBatch(where, responder);
  const { port } = listener;
  const [flood, polite] = await Promise.all([
    askSteadily({ port, from: '127.0.0.2', perSecond: 10_000, seconds: 2, name: 'a#.example.com', numbers: 20_000 }),
    askSteadily({ ...cart, port, from: '127.0.0.3', perSecond: 300 }),
  ]);
  assert.equal(flood.codes[rcodes.NOERROR], 0);
  assert.ok((polite.codes[rcodes.NOERROR] ?? 0) / polite.asked > 0.8, JSON.stringify(polite));
});
