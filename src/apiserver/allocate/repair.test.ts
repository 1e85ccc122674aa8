import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Service } from '../../api/core/service.ts';
import { addressRecord } from './address-records.ts';
import { clusterRanges } from './cluster-ranges.ts';
import { planRepair, type Inventory } from './repair.ts';

const nowMs = Date.UTC(2026, 10, 23, 12);
const longAgo = { nowMs: nowMs - 3_600_000, uid: 'u' };
const ranges = clusterRanges([{ metadata: { name: 'kubernetes' }, spec: { cidrs: ['10.96.0.0/24'] } }]);

function service(name: string, ip: string, nodePort?: number): Service {
  const ports = [{ port: 80, protocol: 'TCP' as const, nodePort }];
  return { metadata: { name, namespace: 'd' }, spec: { type: 'NodePort', clusterIP: ip, clusterIPs: [ip], ports } };
}

function plan(inventory: Partial<Inventory>): { create: unknown; delete: unknown; events: unknown } {
  const whole = { services: [], ipAddresses: [], ranges, portRange: { from: 30_000, to: 32_767 }, ...inventory };
  const { create, events, ...rest } = planRepair(whole, nowMs);
  return {
    create,
    ...rest,
    events: events.map((event) => `${event.service.metadata.name}: ${event.reason}: ${event.message}`),
  };
}

describe('repair', () => {
  it('has nothing to do when everything agrees', () => {
    const ipAddresses = [addressRecord('10.96.0.5', 'd/a', longAgo)];
    assert.deepEqual(plan({ services: [service('a', '10.96.0.5', 30_001), service('h', 'None')], ipAddresses }), {
      create: [],
      delete: [],
      events: [],
    });
  });

  it('makes the record that is missing', () => {
    assert.deepEqual(plan({ services: [service('a', '10.96.0.5')] }), {
      create: [{ ip: '10.96.0.5', owner: 'd/a' }],
      delete: [],
      events: ['a: ClusterIPNotAllocated: Cluster IP 10.96.0.5 is not allocated; repairing'],
    });
  });

  it('takes away records that nobody needs, once they are old enough, if they are ours', () => {
    const foreign = {
      metadata: { name: '10.96.0.8', creationTimestamp: '2026-11-01T00:00:00Z' },
      spec: { parentRef: { resource: 'pods', name: 'x' } },
    };
    const ipAddresses = [
      addressRecord('10.96.0.5', 'd/gone', longAgo),
      addressRecord('10.96.0.6', 'd/a', longAgo),
      addressRecord('10.96.0.7', 'd/new', { nowMs: nowMs - 30_000, uid: 'u' }),
      foreign,
    ];
    assert.deepEqual(plan({ ipAddresses, services: [service('a', 'None')] }), {
      create: [],
      delete: ['10.96.0.5', '10.96.0.6'],
      events: [],
    });
  });

  it('tells of an address that two Services have', () => {
    const services = [service('a', '10.96.0.5'), service('b', '10.96.0.5')];
    const ipAddresses = [addressRecord('10.96.0.5', 'd/a', longAgo)];
    const event = 'b: ClusterIPAlreadyAllocated: Cluster IP 10.96.0.5 is assigned to d/a too; please recreate service';
    assert.deepEqual(plan({ services, ipAddresses }), { create: [], delete: [], events: [event] });
    assert.deepEqual(plan({ services }).create, [{ ip: '10.96.0.5', owner: 'd/a' }]);
  });

  it('tells of addresses outside all ranges and of what is no address', () => {
    assert.deepEqual(plan({ services: [service('a', '10.97.0.5'), service('b', 'x')] }), {
      create: [{ ip: '10.97.0.5', owner: 'd/a' }],
      delete: [],
      events: [
        'a: ClusterIPOutOfRange: Cluster IP 10.97.0.5 is not within any configured ServiceCIDR; please recreate service',
        'b: ClusterIPNotValid: Cluster IP x is not a valid IP; please recreate service',
      ],
    });
  });

  it('tells of node ports that two Services have or that are out of range', () => {
    const services = [service('a', 'None', 30_001), service('b', 'None', 30_001), service('c', 'None', 80)];
    assert.deepEqual(plan({ services }).events, [
      'b: PortAlreadyAllocated: Port 30001 is assigned to d/a too; please recreate service',
      'c: PortOutOfRange: Port 80 is not within the port range 30000-32767; please recreate service',
    ]);
  });
});
