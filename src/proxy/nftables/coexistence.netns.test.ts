import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { isolateNetwork } from '../../linux/namespaces.ts';
import { openRoute } from '../../linux/route.ts';
import { Frontends, changesBetween } from '../contract/frontends.ts';
import { HostNetwork } from '../contract/host-network.ts';
import { ipv4, network } from '../contract/worlds.ts';
import type { Dataplane } from '../dataplane.ts';
import { createNftablesPlane } from './plane.ts';
import { nft, nftFile, until } from './testing.ts';

isolateNetwork();

const make = new Frontends(ipv4);
const [vip, theirVip] = ipv4.services;
const all = make.forward('pod1', 'pod2', 'pod3');
const frontends = [
  make.clusterIp(all),
  make.clusterIp(make.forward('pod1', 'pod2'), {
    port: 81,
    key: '10.96.0.10:81/TCP',
    affinity: { timeoutSeconds: 60 },
  }),
  make.make('NodePort', undefined, 30080, all, { external: make.forward('pod1', 'pod2'), masquerade: 'never' }),
  make.make('ClusterIP', ipv4.services[2], 80, { verdict: 'reject', backends: [] }),
];

/** Tables as other programs leave them, with what belongs to a Pod network of ours where they ask for it. */
const others = {
  // iptables-nft: Docker forwards nothing but its own; DOCKER-USER is where the administrator lets Pods through.
  docker: `
    table ip nat {
      chain DOCKER {
        iifname "docker0" return
        iifname != "docker0" tcp dport 8088 dnat to 10.244.0.12:8080
      }
      chain PREROUTING {
        type nat hook prerouting priority dstnat; policy accept;
        fib daddr type local jump DOCKER
      }
      chain OUTPUT {
        type nat hook output priority -100; policy accept;
        ip daddr != 127.0.0.0/8 fib daddr type local jump DOCKER
      }
      chain POSTROUTING {
        type nat hook postrouting priority srcnat; policy accept;
        oifname != "docker0" ip saddr 172.17.0.0/16 masquerade
      }
    }
    table ip filter {
      chain DOCKER-USER {
        iifname "pods" accept
        oifname "pods" accept
        return
      }
      chain FORWARD {
        type filter hook forward priority filter; policy drop;
        jump DOCKER-USER
        oifname "docker0" ct state related,established accept
        iifname "docker0" oifname != "docker0" accept
      }
    }`,
  // firewalld: everything that is not of a zone is refused; translated connections pass.
  firewalld: `
    table inet firewalld {
      chain nat_PREROUTING {
        type nat hook prerouting priority dstnat + 10; policy accept;
        jump nat_zones
      }
      chain nat_zones { iifname "to-outside" return; }
      chain nat_POSTROUTING {
        type nat hook postrouting priority srcnat + 10; policy accept;
        oifname "to-outside" ip saddr 172.18.0.0/16 masquerade
      }
      chain filter_INPUT {
        type filter hook input priority filter + 10; policy accept;
        ct state { established, related } accept
        ct status dnat accept
        iifname { "lo", "pods" } accept
        ct state invalid drop
        meta l4proto { icmp, ipv6-icmp } accept
        reject with icmpx admin-prohibited
      }
      chain filter_FORWARD {
        type filter hook forward priority filter + 10; policy accept;
        ct state { established, related } accept
        ct status dnat accept
        iifname { "lo", "pods" } accept
        ct state invalid drop
        reject with icmpx admin-prohibited
      }
    }`,
  // kube-proxy: a Service of its own, its mark for masquerade, and its checks after translation.
  'kube-proxy': `
    table ip kube-proxy {
      set cluster-ips { type ipv4_addr; elements = { ${theirVip} } }
      map service-ips {
        type ipv4_addr . inet_proto . inet_service : verdict
        elements = { ${theirVip} . tcp . 80 : goto service-their }
      }
      chain mark-for-masquerade { meta mark set meta mark or 0x4000; }
      chain masquerading {
        meta mark & 0x4000 == 0x0 return
        meta mark set meta mark xor 0x4000
        masquerade fully-random
      }
      chain service-their {
        ip saddr != 10.244.0.0/16 jump mark-for-masquerade
        meta l4proto tcp dnat to numgen random mod 2 map { 0 : ${ipv4.pods.pod1} . 8080, 1 : ${ipv4.pods.pod2} . 8080 }
      }
      chain services { ip daddr . meta l4proto . th dport vmap @service-ips; }
      chain nat-prerouting { type nat hook prerouting priority dstnat; policy accept; jump services; }
      chain nat-output { type nat hook output priority -100; policy accept; jump services; }
      chain nat-postrouting { type nat hook postrouting priority srcnat; policy accept; jump masquerading; }
      chain cluster-ips-check {
        ip daddr @cluster-ips reject comment "no such port"
        ip daddr 10.96.0.0/16 drop
      }
      chain filter-forward { type filter hook forward priority filter; policy accept; ct state new jump cluster-ips-check; }
      chain filter-output { type filter hook output priority filter; policy accept; ct state new jump cluster-ips-check; }
    }`,
} as const;

let hosts: HostNetwork;
let plane: Dataplane;

before(async () => {
  const pods = ['10.244.0.1', 'fd00:244::1'] as const;
  hosts = new HostNetwork([
    { name: 'pod1', addresses: [ipv4.pods.pod1], gateways: pods, isBridged: true },
    { name: 'pod2', addresses: [ipv4.pods.pod2], gateways: pods, isBridged: true },
    { name: 'pod3', addresses: [ipv4.pods.pod3], gateways: pods, isBridged: true },
    { name: 'client', addresses: [ipv4.sources.client], gateways: pods, isBridged: true },
    { name: 'outside', addresses: [ipv4.sources.outside], gateways: [ipv4.node, '2001:db8::1'] },
  ]);
  using route = openRoute();
  const linkIndex = route.link('to-outside')?.index ?? 0;
  route.replaceRoute({ destination: '0.0.0.0/0', linkIndex, gateway: ipv4.sources.outside });
  for (const [name, address] of Object.entries(ipv4.pods)) await hosts.host(name).serve(address, 8080);
});

afterEach(async () => {
  await plane.close();
  nft('flush', 'ruleset');
});

after(() => hosts[Symbol.asyncDispose]());

/** What Services do for everyone, whatever else is in the kernel. */
async function expectServices(): Promise<void> {
  const call = (from: string, address: string, port: number) => hosts.host(from).call(address, port, false);
  for (const from of ['client', 'outside', 'node', 'pod1']) assert.match(await call(from, vip, 80), /^pod/, from);
  assert.match(await call('client', vip, 80), / 10\.244\.0\.20$/, 'a Pod keeps its address');
  assert.match(await call('outside', ipv4.node, 30080), /^pod[12] 192\.0\.2\.100$/, 'a Local policy keeps the address');
  const servers = new Set<string>();
  for (let time = 0; time < 6; time += 1) servers.add(await call('outside', vip, 81));
  assert.equal(servers.size, 1, 'affinity');
  assert.equal(await call('client', ipv4.services[2], 80), 'refused');
}

/** Their table without what changes by itself. */
function listing(family: string, table: string): string {
  return nft('--stateless', 'list', 'table', family, table);
}

const tables = {
  docker: ['ip', 'filter'],
  firewalld: ['inet', 'firewalld'],
  'kube-proxy': ['ip', 'kube-proxy'],
} as const;

for (const [name, rules] of Object.entries(others)) {
  const [family, table] = tables[name as keyof typeof tables];
  for (const isFirst of [true, false]) {
    test(`Services work beside ${name}'s tables, that were there ${isFirst ? 'before' : 'later'}`, async () => {
      plane = createNftablesPlane({ network });
      if (isFirst) nftFile(rules);
      await plane.adopt(frontends);
      if (!isFirst) nftFile(rules);
      const theirs = listing(family, table);
      await expectServices();
      const changed = [make.clusterIp(make.forward('pod2'))];
      await plane.apply(changesBetween([], changed));
      assert.match(await hosts.host('outside').call(vip, 80, false), /^pod2 /);
      assert.equal(listing(family, table), theirs, 'their table is as it was');
    });
  }

  test(`flushing ${name}'s tables or ours leaves the others alone, and ours come back`, async () => {
    nftFile(rules);
    plane = createNftablesPlane({ network });
    await plane.adopt(frontends);
    const theirs = listing(family, table);
    nft('delete', 'table', 'ip', 'fairlead');
    await until(async () => (await plane.dump()).length === frontends.length, 'ours are back');
    assert.equal(listing(family, table), theirs);
    await expectServices();
    nft('delete', 'table', family, table);
    await expectServices();
    assert.equal((await plane.dump()).length, frontends.length);
  });
}

test('a Service of kube-proxy and a port that Docker publishes work beside ours', async () => {
  nftFile(others['kube-proxy']);
  nftFile(others.docker);
  plane = createNftablesPlane({ network });
  await plane.adopt(frontends);
  assert.match(await hosts.host('client').call(theirVip, 80, false), /^pod[12] 10\.244\.0\.20$/);
  assert.match(await hosts.host('outside').call(theirVip, 80, false), /^pod[12] 10\.244\.0\.1$/);
  assert.match(await hosts.host('outside').call(ipv4.node, 8088, false), /^pod2 /);
  assert.match(await hosts.host('node').call(theirVip, 80, false), /^pod[12] /);
});

test('what a firewall forbids stays forbidden: Services open nothing', async () => {
  nftFile('table ip filter { chain FORWARD { type filter hook forward priority filter; policy drop; }; }');
  plane = createNftablesPlane({ network });
  await plane.adopt(frontends);
  assert.equal(await hosts.host('outside').call(ipv4.pods.pod1, 8080, false), 'timeout', 'directly');
  assert.equal(await hosts.host('outside').call(vip, 80, false), 'timeout', 'through a Service');
  assert.match(await hosts.host('node').call(vip, 80, false), /^pod/, 'what the node sends is not forwarded');
});
