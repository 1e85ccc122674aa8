import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLogger } from '../observe/log.ts';
import { createMetrics } from '../observe/metrics.ts';
import type { Client } from '../client/client.ts';
import type { DnsConfig } from './config.ts';
import { testCaches } from './fixtures.ts';
import { serverAddressesOf } from './followed.ts';
import { clusterServer } from './settings/cluster-server.ts';
import type { ListenSettings } from './settings/settings.ts';

const client = {} as Client;
const config: DnsConfig = {
  client,
  caches: testCaches(client).caches,
  settings: clusterServer({ listen: [] }),
  logger: silentLogger,
  metrics: createMetrics(),
};
const on = (...addresses: readonly string[]): ListenSettings[] =>
  addresses.map((address) => ({ transport: 'dns', address, port: 53 }));

test('a server is reached at the address of its Service, else where it listens', () => {
  assert.deepEqual(serverAddressesOf(config, on('10.244.0.1', 'fd00::1', '10.244.0.1')), ['10.244.0.1', 'fd00::1']);
  const advertise = { serviceIp: '10.96.0.10', addresses: [] };
  assert.deepEqual(serverAddressesOf({ ...config, advertise }, on('10.244.0.1')), ['10.96.0.10']);
});

test('a server that listens on all addresses says those that it has, never 0.0.0.0 or ::', () => {
  const addresses = serverAddressesOf(config, on('0.0.0.0', '::'));
  assert.deepEqual(
    addresses.filter((address) => ['0.0.0.0', '::', '127.0.0.1', '::1'].includes(address)),
    [],
  );
});
