import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Service, ServiceSpec } from '../../api/core/service.ts';
import { ApiError } from '../../api/errors.ts';
import type { IPAddress } from '../../api/networking/ip-address.ts';
import type { ServiceCIDR } from '../../api/networking/service-cidr.ts';
import { addressRecord } from './address-records.ts';
import { createAllocator, type Allocation, type Allocator } from './allocator.ts';

const birth = { nowMs: Date.UTC(2026, 10, 23), uid: 'u' };
const v4 = '10.96.0.0/24';
const v6 = 'fd00:96::/112';

function serviceCidr(name: string, cidrs: string[], change: Partial<ServiceCIDR> = {}): ServiceCIDR {
  return { metadata: { name, ...change.metadata }, spec: { cidrs }, ...(change.status && { status: change.status }) };
}

function service(name: string, spec: Partial<ServiceSpec> = {}): Service {
  const ports = [{ port: 80, protocol: 'TCP' as const }];
  return { metadata: { name, namespace: 'd' }, spec: { type: 'ClusterIP', ports, ...spec } };
}

const nodePort = (name: string, ...ports: number[]): Service =>
  service(name, {
    type: 'NodePort',
    ports: ports.map((port, index) => ({ port: 80 + index, protocol: 'TCP', nodePort: port })),
  });

/** An allocator over a store of records, where a write is stored by `store`. */
function setUp(
  cidrs: readonly ServiceCIDR[] = [serviceCidr('kubernetes', [v4])],
  portRange = { from: 30_000, to: 30_099 },
) {
  const records = new Map<string, IPAddress>();
  const allocator = createAllocator({
    serviceCidrs: () => cidrs,
    ipAddress: (ip) => records.get(ip),
    portRange,
    now: () => birth.nowMs,
    newUid: () => birth.uid,
    random: () => 0,
  });
  const run = (operations: Allocation['operations']): void => {
    for (const operation of operations) {
      const ip = operation.key.split('/').at(-1) ?? '';
      if (operation.type === 'delete') records.delete(ip);
      else records.set(ip, JSON.parse(Buffer.from(operation.value).toString()) as IPAddress);
    }
  };
  const store = (old: Service | undefined, allocation: Allocation): Service => {
    run(allocation.operations);
    allocator.observe(old, allocation.service);
    return allocation.service;
  };
  const create = (wanted: Service): Service => store(undefined, allocator.allocate(undefined, wanted));
  const update = (old: Service, wanted: Service): Service => store(old, allocator.allocate(old, wanted));
  const remove = (old: Service): void => {
    run(allocator.free(old));
    allocator.observe(old, undefined);
  };
  return { allocator, records, create, update, remove };
}

function refusal(task: () => unknown): string {
  try {
    task();
  } catch (error) {
    assert.ok(error instanceof ApiError, String(error));
    assert.equal(error.code, 422);
    return error.message;
  }
  return assert.fail('it was not refused');
}

const allocate =
  (allocator: Allocator, wanted: Service): (() => unknown) =>
  () =>
    allocator.allocate(undefined, wanted);

describe('cluster addresses', () => {
  it('come from behind the static band, with a record, and are single-stack by default', () => {
    const { create, records } = setUp();
    const { spec } = create(service('a'));
    assert.deepEqual(
      [spec.clusterIP, spec.clusterIPs, spec.ipFamilies, spec.ipFamilyPolicy],
      ['10.96.0.17', ['10.96.0.17'], ['IPv4'], 'SingleStack'],
    );
    assert.deepEqual(records.get('10.96.0.17')?.spec.parentRef, {
      group: '',
      resource: 'services',
      namespace: 'd',
      name: 'a',
    });
    assert.equal(create(service('b')).spec.clusterIP, '10.96.0.18');
  });

  it('are given as asked for when they are free and in range', () => {
    const { create, allocator } = setUp();
    assert.equal(
      create(service('a', { clusterIP: '10.96.0.10', clusterIPs: ['10.96.0.10'] })).spec.clusterIP,
      '10.96.0.10',
    );
    const again = service('b', { clusterIP: '10.96.0.10', clusterIPs: ['10.96.0.10'] });
    assert.equal(
      refusal(allocate(allocator, again)),
      'Service "b" is invalid: spec.clusterIPs: Invalid value: ["10.96.0.10"]: failed to allocate IP 10.96.0.10: provided IP is already allocated',
    );
    for (const ip of ['10.97.0.1', '10.96.0.0', '10.96.0.255']) {
      const outside = refusal(allocate(allocator, service('b', { clusterIP: ip, clusterIPs: [ip] })));
      assert.match(outside, /the provided network does not match the current range$/);
    }
  });

  it('are not given when somebody else has the record', () => {
    const { allocator, records } = setUp();
    records.set('10.96.0.20', {
      metadata: { name: '10.96.0.20' },
      spec: { parentRef: { resource: 'pods', name: 'x' } },
    });
    assert.match(
      refusal(allocate(allocator, service('a', { clusterIP: '10.96.0.20', clusterIPs: ['10.96.0.20'] }))),
      /already allocated/,
    );
    records.set('10.96.0.21', addressRecord('10.96.0.21', 'd/a', birth));
    const adopted = allocator.allocate(
      undefined,
      service('a', { clusterIP: '10.96.0.21', clusterIPs: ['10.96.0.21'] }),
    );
    assert.deepEqual(adopted.operations, []);
  });

  it('run out', () => {
    const { allocator, create } = setUp([serviceCidr('kubernetes', ['10.0.0.0/29'])]);
    const ips = Array.from({ length: 6 }, (_, index) => create(service(`s${index}`)).spec.clusterIP);
    assert.equal(new Set(ips).size, 6);
    assert.match(refusal(allocate(allocator, service('x'))), /failed to allocate a serviceIP: IPv4 range is full/);
  });

  it('come from further ranges, but not from those on their way out', () => {
    const { create } = setUp([
      serviceCidr('zz', ['10.0.9.0/30']),
      serviceCidr('kubernetes', ['10.0.0.0/30']),
      serviceCidr('aa', ['10.0.1.0/24'], { metadata: { deletionTimestamp: '2026-11-23T00:00:00Z' } }),
      serviceCidr('bb', ['10.0.2.0/24'], {
        status: { conditions: [{ type: 'Ready', status: 'False', lastTransitionTime: '', reason: '', message: '' }] },
      }),
    ]);
    const ips = ['a', 'b', 'c', 'd'].map((name) => create(service(name)).spec.clusterIP);
    assert.deepEqual(ips, ['10.0.0.1', '10.0.0.2', '10.0.9.1', '10.0.9.2']);
  });

  it('are given back on deletion and when the type no longer has them', () => {
    const { create, update, remove, records } = setUp();
    const first = create(service('a'));
    remove(first);
    assert.equal(records.size, 0);
    const second = create(service('b'));
    assert.equal(second.spec.clusterIP, first.spec.clusterIP);
    const external = update(second, service('b', { type: 'ExternalName', externalName: 'x', ports: undefined }));
    assert.deepEqual([external.spec.clusterIPs, records.size], [undefined, 0]);
    assert.equal(update(external, service('b')).spec.clusterIP, first.spec.clusterIP);
    assert.equal(records.size, 1);
  });

  it('stay when a Service is updated, and are not given to headless ones', () => {
    const { create, update, allocator } = setUp();
    const first = create(service('a'));
    const again = allocator.allocate(first, { ...first, spec: { ...first.spec, ports: [] } });
    assert.deepEqual([again.service.spec.clusterIPs, again.operations], [first.spec.clusterIPs, []]);
    assert.deepEqual(update(first, again.service).spec.clusterIPs, first.spec.clusterIPs);
    const headless = create(service('b', { clusterIP: 'None', clusterIPs: ['None'], selector: { a: 'b' } }));
    assert.deepEqual(
      [headless.spec.clusterIPs, headless.spec.ipFamilies, headless.spec.ipFamilyPolicy],
      [['None'], ['IPv4'], 'SingleStack'],
    );
  });
});

describe('requests under way', () => {
  it('never get the same address or port', () => {
    const { allocator } = setUp();
    const pending = ['a', 'b', 'c'].map((name) => allocator.allocate(undefined, nodePort(name, 0)).service.spec);
    assert.equal(new Set(pending.map(({ clusterIP }) => clusterIP)).size, 3);
    assert.equal(new Set(pending.map(({ ports }) => ports?.[0]?.nodePort)).size, 3);
    const asked = allocator.allocate(undefined, nodePort('d', 30_050));
    assert.match(refusal(allocate(allocator, nodePort('e', 30_050))), /provided port is already allocated/);
    asked.release();
    assert.equal(allocator.allocate(undefined, nodePort('e', 30_050)).service.spec.ports?.[0]?.nodePort, 30_050);
  });

  it('keep what they reserved until it is seen stored or released', () => {
    const { allocator, create } = setUp();
    const first = create(nodePort('a', 30_001));
    const change = allocator.allocate(first, nodePort('a', 30_002));
    allocator.observe(first, first);
    assert.match(refusal(allocate(allocator, nodePort('b', 30_002))), /already allocated/);
    allocator.observe(first, change.service);
    assert.match(refusal(allocate(allocator, nodePort('b', 30_002))), /already allocated/);
    assert.equal(allocator.allocate(undefined, nodePort('b', 30_001)).service.spec.ports?.[0]?.nodePort, 30_001);
    change.release();
    assert.match(refusal(allocate(allocator, nodePort('b', 30_002))), /already allocated/);
  });
});

describe('node ports', () => {
  it('are given behind the static band, or as asked for', () => {
    const { create } = setUp();
    const { ports } = create(nodePort('a', 0, 30_000)).spec;
    assert.deepEqual(
      ports?.map(({ nodePort: port }) => port),
      [30_016, 30_000],
    );
  });

  it('are refused outside the range and when another Service has them', () => {
    const { create, allocator } = setUp();
    create(nodePort('a', 30_005));
    assert.equal(
      refusal(allocate(allocator, nodePort('b', 30_005))),
      'Service "b" is invalid: spec.ports[0].nodePort: Invalid value: 30005: provided port is already allocated',
    );
    assert.match(
      refusal(allocate(allocator, nodePort('b', 29_999))),
      /provided port is not in the valid range. The range of valid ports is 30000-30099$/,
    );
  });

  it('are shared by the protocols of one port', () => {
    const dns = (...nodePorts: number[]): Service =>
      service('dns', {
        type: 'NodePort',
        ports: (['UDP', 'TCP'] as const).map((protocol, at) => ({
          name: protocol,
          port: 53,
          protocol,
          nodePort: nodePorts[at],
        })),
      });
    const { create, update } = setUp();
    const first = create(dns());
    assert.deepEqual(
      first.spec.ports?.map((port) => port.nodePort),
      [30_016, 30_016],
    );
    assert.deepEqual(
      update(first, dns(0, 30_053)).spec.ports?.map((port) => port.nodePort),
      [30_053, 30_053],
    );
  });

  it('come with a health check port for load balancers with local traffic', () => {
    const { create, update, allocator } = setUp();
    const balancer = (name: string, port?: number): Service =>
      service(name, { type: 'LoadBalancer', externalTrafficPolicy: 'Local', healthCheckNodePort: port });
    const first = create(balancer('a'));
    assert.deepEqual([first.spec.ports?.[0]?.nodePort, first.spec.healthCheckNodePort], [30_016, 30_017]);
    assert.match(
      refusal(allocate(allocator, balancer('b', 30_017))),
      /spec.healthCheckNodePort: Invalid value: 30017: provided port is already allocated/,
    );
    const plain = update(first, service('a', { clusterIPs: first.spec.clusterIPs, clusterIP: first.spec.clusterIP }));
    assert.equal(plain.spec.ports?.[0]?.nodePort, undefined);
    assert.equal(create(balancer('b', 30_017)).spec.healthCheckNodePort, 30_017);
  });

  it('are only taken for load balancers that want them', () => {
    const { create } = setUp();
    const spec = { type: 'LoadBalancer', allocateLoadBalancerNodePorts: false } as const;
    assert.equal(create(service('a', spec)).spec.ports?.[0]?.nodePort, undefined);
    const ports = [{ port: 80, protocol: 'TCP', nodePort: 30_001 } as const];
    assert.equal(create(service('b', { ...spec, ports })).spec.ports?.[0]?.nodePort, 30_001);
  });

  it('run out', () => {
    const { create, allocator } = setUp([serviceCidr('kubernetes', [v4])], { from: 30_000, to: 30_001 });
    create(nodePort('a', 0, 0));
    assert.match(refusal(allocate(allocator, nodePort('b', 0))), /failed to allocate a nodePort: range is full/);
  });
});

describe('IP families', () => {
  const dual = [serviceCidr('kubernetes', [v4, v6])];
  const families = (spec: ServiceSpec): unknown => [spec.ipFamilies, spec.ipFamilyPolicy, spec.clusterIPs];

  it('are two where they are wanted and there', () => {
    const { create } = setUp(dual);
    assert.deepEqual(families(create(service('a', { ipFamilyPolicy: 'PreferDualStack' })).spec), [
      ['IPv4', 'IPv6'],
      'PreferDualStack',
      ['10.96.0.17', 'fd00:96::101'],
    ]);
    assert.deepEqual(
      families(create(service('b', { ipFamilyPolicy: 'RequireDualStack', ipFamilies: ['IPv6'] })).spec),
      [['IPv6', 'IPv4'], 'RequireDualStack', ['fd00:96::102', '10.96.0.18']],
    );
    assert.deepEqual(families(create(service('c', { ipFamilies: ['IPv6'] })).spec), [
      ['IPv6'],
      'SingleStack',
      ['fd00:96::103'],
    ]);
    assert.deepEqual(families(create(service('d', { clusterIP: 'fd00:96::7', clusterIPs: ['fd00:96::7'] })).spec), [
      ['IPv6'],
      'SingleStack',
      ['fd00:96::7'],
    ]);
    assert.deepEqual(families(create(service('e')).spec), [['IPv4'], 'SingleStack', ['10.96.0.19']]);
  });

  it('are refused where they are not there', () => {
    const { allocator, create } = setUp();
    assert.match(
      refusal(allocate(allocator, service('a', { ipFamilyPolicy: 'RequireDualStack' }))),
      /this cluster is not configured for dual-stack services/,
    );
    assert.match(
      refusal(allocate(allocator, service('a', { ipFamilies: ['IPv6'] }))),
      /spec.ipFamilies\[0\]: Invalid value: "IPv6": not configured on this cluster/,
    );
    assert.match(
      refusal(allocate(allocator, service('a', { clusterIP: 'fd00::1', clusterIPs: ['fd00::1'] }))),
      /IPv6 is not configured on this cluster/,
    );
    assert.deepEqual(families(create(service('b', { ipFamilyPolicy: 'PreferDualStack' })).spec), [
      ['IPv4'],
      'PreferDualStack',
      ['10.96.0.17'],
    ]);
  });

  it('contradict a single-stack policy when there are two', () => {
    const { allocator } = setUp(dual);
    assert.match(
      refusal(allocate(allocator, service('a', { ipFamilies: ['IPv4', 'IPv6'] }))),
      /must be RequireDualStack or PreferDualStack when multiple 'ipFamilies' are specified/,
    );
    const clusterIPs = ['10.96.0.5', 'fd00:96::5'];
    assert.match(
      refusal(allocate(allocator, service('a', { clusterIP: '10.96.0.5', clusterIPs }))),
      /when multiple 'clusterIPs' are specified/,
    );
  });

  it('are both for a headless Service without selector', () => {
    const { create } = setUp();
    const { spec } = create(service('a', { clusterIP: 'None', clusterIPs: ['None'] }));
    assert.deepEqual(families(spec), [['IPv4', 'IPv6'], 'RequireDualStack', ['None']]);
  });

  it('are added and released by a change of policy', () => {
    const { create, update, records, allocator } = setUp(dual);
    const single = create(service('a'));
    const both = update(single, { ...single, spec: { ...single.spec, ipFamilyPolicy: 'RequireDualStack' } });
    assert.deepEqual([both.spec.clusterIPs?.length, records.size], [2, 2]);
    const reduced = { ...both, spec: { ...both.spec, clusterIPs: both.spec.clusterIPs?.slice(0, 1) } };
    assert.match(
      refusal(() => allocator.allocate(both, reduced)),
      /must be set to 'SingleStack' when releasing the secondary clusterIP/,
    );
    const back = update(both, { ...both, spec: { ...both.spec, ipFamilyPolicy: 'SingleStack' } });
    assert.deepEqual(families(back.spec), [['IPv4'], 'SingleStack', [single.spec.clusterIP]]);
    assert.deepEqual([...records.keys()], [single.spec.clusterIP]);
  });

  it('of a Service that prefers two do not change with the cluster', () => {
    const { create, records } = setUp();
    const single = create(service('a', { ipFamilyPolicy: 'PreferDualStack' }));
    const later = setUp(dual);
    for (const [ip, record] of records) later.records.set(ip, record);
    later.allocator.observe(undefined, single);
    assert.deepEqual(
      families(later.update(single, { ...single, metadata: { ...single.metadata, labels: { a: 'b' } } }).spec),
      families(single.spec),
    );
  });
});
