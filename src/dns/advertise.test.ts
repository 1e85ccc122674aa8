import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forbidden } from '../api/errors.ts';
import { Service } from '../api/core/service.ts';
import { EndpointSlice } from '../api/discovery/endpoint-slice.ts';
import { createCaches } from '../client/caches.ts';
import { createFakeApi } from '../client/fake.ts';
import type { FakeApi } from '../client/fake.ts';
import { silentLogger } from '../observe/log.ts';
import { advertise, advertised } from './advertise.ts';

const config = {
  serviceIp: '10.96.0.10',
  addresses: [
    { address: '10.244.0.1', port: 53 },
    { address: 'fd01::1', port: 53 },
  ],
};

const sliceName = 'kube-dns-fairlead-ipv4';

/** Runs the loop against an API in memory until `check` holds, step by step. */
async function withLoop(api: FakeApi, steps: (until: (holds: () => boolean) => Promise<void>) => Promise<void>) {
  const stop = new AbortController();
  await using caches = createCaches(api.client);
  const loop = advertise({ config, client: api.client, caches, logger: silentLogger, signal: stop.signal });
  const until = async (holds: () => boolean): Promise<void> => {
    while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
  };
  await steps(until);
  stop.abort();
  await loop;
}

function slice(api: FakeApi, name = sliceName): EndpointSlice | undefined {
  return api.objects(EndpointSlice).find((it) => it.metadata.name === name);
}

test('the Service has no selector, and a slice of each family leads to the server', () => {
  const { service, slices } = advertised(config);
  assert.equal(service.spec?.selector, undefined);
  assert.deepEqual(
    slices.map((it) => [
      it.addressType,
      it.endpoints?.map(({ addresses }) => addresses),
      it.ports?.map((port) => port.port),
    ]),
    [
      ['IPv4', [['10.244.0.1']], [53, 53]],
      ['IPv6', [['fd01::1']], [53, 53]],
    ],
  );
});

test('the objects are made, put right when someone changes them, and made again when someone deletes them', async () => {
  const api = createFakeApi();
  await withLoop(api, async (until) => {
    await until(() => slice(api, 'kube-dns-fairlead-ipv6') !== undefined);
    assert.equal(api.objects(Service)[0]?.spec?.clusterIP, '10.96.0.10');

    const made = slice(api);
    assert.ok(made);
    api.put(EndpointSlice, { ...made, endpoints: [{ addresses: ['10.66.6.6'] }] });
    await until(() => slice(api)?.endpoints?.[0]?.addresses?.[0] === '10.244.0.1');

    api.remove(EndpointSlice, sliceName, 'kube-system');
    await until(() => slice(api) !== undefined);
    api.remove(Service, 'kube-dns', 'kube-system');
    await until(() => api.objects(Service).length === 1);
  });
});

test('a Service that is right is left alone, one with a selector loses it', async () => {
  const api = createFakeApi();
  const { service } = advertised(config);
  api.put(Service, { ...service, spec: { ...service.spec, selector: { app: 'coredns' } } });
  await withLoop(api, async (until) => {
    await until(() => Object.keys(api.objects(Service)[0]?.spec?.selector ?? {}).length === 0);
    await until(() => slice(api, 'kube-dns-fairlead-ipv6') !== undefined);
  });
  const writes = api.calls.filter(({ verb, kind }) => kind === 'Service' && (verb === 'create' || verb === 'update'));
  assert.deepEqual(
    writes.map(({ verb }) => verb),
    ['update'],
  );
});

test('an API that refuses is asked again', async () => {
  const api = createFakeApi();
  let refusals = 0;
  api.intercept = ({ verb }) => {
    if (verb !== 'create' || refusals >= 2) return undefined;
    refusals += 1;
    return forbidden({ group: '', plural: 'services' }, 'kube-dns', 'the namespace is not there yet');
  };
  await withLoop(api, (until) => until(() => slice(api) !== undefined));
  assert.equal(refusals, 2);
});
