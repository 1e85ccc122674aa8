import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checks } from './checks.ts';
import type { Finding } from './checks.ts';
import type { Host } from './host.ts';

const files: Readonly<Record<string, string>> = {
  '/proc/self/mounts': 'none /sys/fs/cgroup cgroup2 rw 0 0',
  '/proc/sys/net/ipv4/ip_forward': '1',
  '/proc/net/route': 'Iface Destination Gateway Flags RefCnt Use Metric Mask\neth0 0000A8C0 0 1 0 0 0 00FFFFFF 0 0 0',
  '/proc/self/limits': 'Max open files            1048576              1048576              files',
  '/etc/resolv.conf': 'nameserver 192.0.2.53',
};

interface Change extends Partial<Host> {
  readonly files?: Readonly<Record<string, string | undefined>>;
}

function host({ files: changed, ...change }: Change): Host {
  const all = { ...files, ...changed };
  return {
    platform: 'linux',
    kernel: '6.1.0-18-amd64',
    node: '26.10.0',
    uid: 0,
    running: undefined,
    dataFolder: '/var/lib/fairlead',
    administersNetwork: true,
    read: (path) => all[path],
    exists: (path) => path === '/var/lib',
    isWritable: () => true,
    find: (program) => `/usr/bin/${program}`,
    whyNotListen: async () => undefined,
    whyNoNftables: () => undefined,
    ...change,
  };
}

async function examine(change: Change): Promise<readonly Finding[]> {
  return await Promise.all(checks.map((check) => check(host(change))));
}

test('a good machine has nothing to complain about', async () => {
  const findings = await examine({});
  assert.deepEqual(
    findings.filter(({ state }) => state !== 'ok'),
    [],
  );
  assert.equal(findings.length, checks.length);
});

const troubles: readonly [string, Change, string, 'warn' | 'fail', RegExp][] = [
  ['an old kernel', { kernel: '5.4.0' }, 'kernel', 'warn', /--plane userspace/],
  ['macOS', { platform: 'darwin', administersNetwork: false }, 'kernel', 'warn', /Linux machine/],
  ['an old Node', { node: '24.1.0' }, 'node', 'fail', /\.\/fairlead/],
  ['no root', { uid: 1000, administersNetwork: false }, 'privileges', 'warn', /sudo/],
  ['a container without privileges', { administersNetwork: false }, 'privileges', 'warn', /privileged/],
  [
    'closed user namespaces',
    { uid: 1000, administersNetwork: false, files: { '/proc/sys/kernel/apparmor_restrict_unprivileged_userns': '1' } },
    'namespaces',
    'warn',
    /fairlead dig/,
  ],
  ['no cgroups', { files: { '/proc/self/mounts': '' } }, 'cgroups', 'warn', /mount -t cgroup2/],
  ['no nftables', { whyNoNftables: () => 'EPROTONOSUPPORT' }, 'nftables', 'warn', /modprobe nf_tables/],
  [
    'forwarding that cannot be turned on',
    { files: { '/proc/sys/net/ipv4/ip_forward': '0' }, isWritable: (path) => !path.startsWith('/proc') },
    'ip_forward',
    'fail',
    /sysctl/,
  ],
  [
    'Docker',
    { files: { '/proc/sys/net/bridge/bridge-nf-call-iptables': '1' } },
    'bridge filter',
    'warn',
    /bridge-nf-call/,
  ],
  [
    'a VPN in our range',
    { files: { '/proc/net/route': 'h\ntun0 0000600A 0 1 0 0 0 0000FFFF 0 0 0' } },
    'addresses',
    'warn',
    /--service-cidr/,
  ],
  [
    'another API server',
    { whyNotListen: async (_, __, port) => (port === 6443 ? 'EADDRINUSE' : undefined) },
    'ports',
    'fail',
    /--port 6444/,
  ],
  ['no resolver', { files: { '/etc/resolv.conf': undefined } }, 'resolv.conf', 'warn', /nameserver/],
  ['a read-only disk', { isWritable: (path) => !path.startsWith('/var') }, 'data folder', 'fail', /--data DIR/],
  [
    'few open files',
    { files: { '/proc/self/limits': 'Max open files 1024 4096 files' } },
    'open files',
    'warn',
    /ulimit/,
  ],
];

for (const [what, change, check, state, todo] of troubles) {
  test(`${what} is found, with what to do`, async () => {
    const finding = (await examine(change)).find((candidate) => candidate.check === check);
    assert.equal(finding?.state, state);
    assert.match(finding?.todo ?? '', todo);
    assert.ok(finding?.why);
  });
}

test('the addresses of our own bridge are no clash', async () => {
  const route = 'h\nfairlead0 0000F40A 0 1 0 0 0 00FFFFFF 0 0 0';
  const findings = await examine({ files: { '/proc/net/route': route } });
  assert.equal(findings.find(({ check }) => check === 'addresses')?.state, 'ok');
});
