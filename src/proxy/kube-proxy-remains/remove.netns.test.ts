import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { beforeEach, test } from 'node:test';
import { isolateNetwork } from '../../linux/namespaces.ts';
import { removeKubeProxy } from './remove.ts';

isolateNetwork();

/** A program in this test's own network namespace. */
function run(program: string, args: readonly string[], input = ''): string {
  return execFileSync(program, args, { input, encoding: 'utf8' });
}

/** What kube-proxy's iptables mode leaves for one Service, with the kubelet's chains and someone else's beside it. */
const iptables = {
  nat: `*nat
:KUBE-SERVICES - [0:0]
:KUBE-NODEPORTS - [0:0]
:KUBE-POSTROUTING - [0:0]
:KUBE-MARK-MASQ - [0:0]
:KUBE-SVC-NPX46M4PTMTKRN6Y - [0:0]
:KUBE-SEP-A7YQ4MY4TZII3JTK - [0:0]
:KUBE-PROXY-CANARY - [0:0]
:KUBE-KUBELET-CANARY - [0:0]
:OTHER-CHAIN - [0:0]
-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-A PREROUTING -p tcp --dport 9 -j OTHER-CHAIN
-A OUTPUT -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-A POSTROUTING -m comment --comment "kubernetes postrouting rules" -j KUBE-POSTROUTING
-A KUBE-SERVICES -d 10.96.0.1/32 -p tcp -m comment --comment "default/kubernetes:https cluster IP" -m tcp --dport 443 -j KUBE-SVC-NPX46M4PTMTKRN6Y
-A KUBE-SERVICES -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS
-A KUBE-SVC-NPX46M4PTMTKRN6Y ! -s 10.244.0.0/16 -d 10.96.0.1/32 -p tcp -m tcp --dport 443 -j KUBE-MARK-MASQ
-A KUBE-SVC-NPX46M4PTMTKRN6Y -j KUBE-SEP-A7YQ4MY4TZII3JTK
-A KUBE-SEP-A7YQ4MY4TZII3JTK -s 172.18.0.2/32 -j KUBE-MARK-MASQ
-A KUBE-SEP-A7YQ4MY4TZII3JTK -p tcp -m tcp -j DNAT --to-destination 172.18.0.2:6443
-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000
-A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN
-A KUBE-POSTROUTING -j MASQUERADE --random-fully
COMMIT
`,
  filter: `*filter
:KUBE-FIREWALL - [0:0]
:KUBE-EXTERNAL-SERVICES - [0:0]
:KUBE-FORWARD - [0:0]
:KUBE-PROXY-FIREWALL - [0:0]
-A INPUT -m conntrack --ctstate NEW -m comment --comment "kubernetes load balancer firewall" -j KUBE-PROXY-FIREWALL
-A INPUT -m conntrack --ctstate NEW -j KUBE-EXTERNAL-SERVICES
-A INPUT -j KUBE-FIREWALL
-A FORWARD -m comment --comment "kubernetes forwarding rules" -j KUBE-FORWARD
-A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP
-A KUBE-FIREWALL ! -s 127.0.0.0/8 -d 127.0.0.0/8 -j DROP
COMMIT
`,
};

const wanted = `-N KUBE-KUBELET-CANARY
-N OTHER-CHAIN
-A PREROUTING -p tcp -m tcp --dport 9 -j OTHER-CHAIN
`;

beforeEach(isolateNetwork);

for (const program of ['iptables-nft', 'iptables-legacy']) {
  test(`chains that kube-proxy wrote by ${program} go; the kubelet's and those of others stay`, () => {
    for (const text of Object.values(iptables)) run(`${program}-restore`, ['--noflush'], text);
    const removed = removeKubeProxy();
    assert.equal(removed.length, 2, removed.join('\n'));
    assert.match(removed.join('\n'), /^7 chains of iptables.* nat\n3 chains of iptables.* filter$/);
    const rules = (table: string) => run(program, ['-t', table, '-S']).replaceAll(/^-P .*\n/gm, '');
    assert.equal(rules('nat'), wanted);
    assert.equal(rules('filter').includes('KUBE-FIREWALL'), true);
    assert.doesNotMatch(rules('filter'), /KUBE-(FORWARD|EXTERNAL|PROXY)/);
    assert.deepEqual(removeKubeProxy(), [], 'a second time there is nothing');
  });
}

test('its nftables tables go; tables of others stay', () => {
  const table = (family: string, type: string) => `table ${family} kube-proxy {
    map service-ips { type ${type} . inet_proto . inet_service : verdict; }
    chain reject-chain { reject; }
    chain services { ${family} daddr . meta l4proto . th dport vmap @service-ips; }
    chain nat-prerouting { type nat hook prerouting priority -100; jump services; }
  }
  `;
  run('nft', ['-f', '-'], `${table('ip', 'ipv4_addr')}${table('ip6', 'ipv6_addr')}table ip other {}\n`);
  assert.deepEqual(removeKubeProxy(), ['table ip kube-proxy of nftables', 'table ip6 kube-proxy of nftables']);
  assert.equal(run('nft', ['list', 'tables']), 'table ip other\n');
});

test('its ipsets go, those in use by its rules too; sets of others stay', () => {
  const sets = `create KUBE-CLUSTER-IP hash:ip,port
add KUBE-CLUSTER-IP 10.96.0.1,tcp:443
create KUBE-NODE-PORT-TCP bitmap:port range 0-65535
create KUBE-LOAD-BALANCER-SOURCE-CIDR hash:ip,port,net
create other hash:ip
`;
  run('ipset', ['restore'], sets);
  run('iptables-nft', ['-t', 'nat', '-N', 'KUBE-SERVICES']);
  const match = ['-m', 'set', '--match-set', 'KUBE-CLUSTER-IP', 'dst,dst'];
  run('iptables-nft', ['-t', 'nat', '-A', 'KUBE-SERVICES', ...match, '-j', 'ACCEPT']);
  assert.deepEqual(removeKubeProxy(), ['1 chain of iptables in table ip nat', '3 ipsets']);
  assert.equal(run('ipset', ['list', '-n']), 'other\n');
});

test('a set that something else uses is said to stay', () => {
  run('ipset', ['create', 'KUBE-CLUSTER-IP', 'hash:ip,port']);
  const match = ['-m', 'set', '--match-set', 'KUBE-CLUSTER-IP', 'dst,dst'];
  run('iptables-nft', ['-t', 'filter', '-A', 'INPUT', ...match, '-j', 'DROP']);
  assert.deepEqual(removeKubeProxy(), ['not ipset KUBE-CLUSTER-IP: something uses it']);
});
