import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ServiceCIDR } from '../../api/networking/service-cidr.ts';
import { startFixture, type Json } from '../testing/fixture.ts';
import { settleServiceCidr } from './service-cidr-lifecycle.ts';

const finalizer = 'networking.k8s.io/service-cidr-finalizer';
const cidr = (name: string, range: string, metadata: ServiceCIDR['metadata'] = {}): ServiceCIDR => ({
  metadata: { name, ...metadata },
  spec: { cidrs: [range] },
});
const going = { deletionTimestamp: '2026-11-23T00:00:00Z', finalizers: [finalizer] };

describe('a ServiceCIDR', () => {
  it('is held and ready while it is wanted', () => {
    const change = settleServiceCidr(cidr('a', '10.0.0.0/24'), [], [], 0);
    assert.ok(typeof change === 'object');
    assert.deepEqual(change.object.metadata.finalizers, [finalizer]);
    assert.deepEqual(
      change.object.status?.conditions?.map(({ type, status }) => [type, status]),
      [['Ready', 'True']],
    );
    assert.equal(settleServiceCidr(change.object, [], [], 0), undefined);
  });

  it('waits with its deletion for addresses that no other has', () => {
    const object = cidr('a', '10.0.0.0/24', going);
    const change = settleServiceCidr(object, [object], ['10.0.0.5', '10.9.9.9'], 0);
    assert.ok(typeof change === 'object');
    assert.deepEqual(
      change.object.status?.conditions?.map(({ status, reason }) => [status, reason]),
      [['False', 'Terminating']],
    );
    const other = cidr('b', '10.0.0.0/16');
    assert.equal(settleServiceCidr(object, [object, other], ['10.0.0.5'], 0), 'gone');
    assert.equal(settleServiceCidr(object, [object], ['10.9.9.9'], 0), 'gone');
  });

  it('leaves the finalizers of others alone', () => {
    const object = cidr('a', '10.0.0.0/24', { ...going, finalizers: ['x/y', finalizer] });
    const change = settleServiceCidr(object, [object], [], 0);
    assert.deepEqual(typeof change === 'object' && change.object.metadata.finalizers, ['x/y']);
    assert.equal(settleServiceCidr(cidr('a', '10.0.0.0/24', { ...going, finalizers: ['x/y'] }), [], [], 0), undefined);
  });
});

describe('ServiceCIDRs through the API server', () => {
  it('extend the addresses, and go when their addresses are gone', async () => {
    const cidrs = '/apis/networking.k8s.io/v1/servicecidrs';
    const services = '/api/v1/namespaces/default/services';
    await using server = await startFixture();
    const spec = { ports: [{ port: 80 }], clusterIP: '10.200.0.9' };
    const service = { kind: 'Service', apiVersion: 'v1', metadata: { name: 'a' }, spec };
    assert.equal((await server.call('POST', services, { body: service })).status, 422);
    await server.create(cidrs, {
      kind: 'ServiceCIDR',
      apiVersion: 'networking.k8s.io/v1',
      metadata: { name: 'more' },
      spec: { cidrs: ['10.200.0.0/24'] },
    });
    const watch = server.watch(`${cidrs}?watch=1&fieldSelector=metadata.name=more`);
    await until(watch, ({ object }) => object.status?.conditions?.[0]?.status === 'True');
    await server.create(services, service);
    await server.call('DELETE', `${cidrs}/more`);
    await until(watch, ({ object }) => object.status?.conditions?.[0]?.status === 'False');
    await server.call('DELETE', `${services}/a`);
    await until(watch, ({ type }) => type === 'DELETED');
    watch.close();
  });
});

async function until(watch: { next(): Promise<Json> }, holds: (line: Json) => boolean): Promise<void> {
  for (let line = await watch.next(); line !== undefined; line = await watch.next()) if (holds(line)) return;
  assert.fail('the watch ended');
}
