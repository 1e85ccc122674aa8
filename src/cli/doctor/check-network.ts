import { cidrsOverlap, parseCidr } from '../../lib/cidr.ts';
import type { Finding } from './checks.ts';
import type { Host } from './host.ts';

/** Whether the kernel takes nftables requests from us. */
export function checkNftables(host: Host): Finding {
  const check = 'nftables';
  if (!host.administersNetwork) return { check, state: 'ok', found: 'not used without privileges' };
  const problem = host.whyNoNftables();
  if (problem === undefined) return { check, state: 'ok', found: 'the kernel answers (no nft program is needed)' };
  return {
    check,
    state: 'warn',
    found: `the kernel answers ${problem}`,
    why: 'it carries connections to Services; without it the slower userspace plane is used',
    todo: 'load the module: modprobe nf_tables',
  };
}

/** Packets between Pods and the rest pass through this machine. */
export function checkForwarding(host: Host): Finding {
  const check = 'ip_forward';
  const value = host.read('/proc/sys/net/ipv4/ip_forward');
  if (!host.administersNetwork) return { check, state: 'ok', found: 'not needed without privileges' };
  if (value === '1') return { check, state: 'ok', found: 'on' };
  if (host.isWritable('/proc/sys/net/ipv4/ip_forward')) {
    return { check, state: 'ok', found: 'off (fairlead up turns it on, and off again at its end)' };
  }
  return {
    check,
    state: 'fail',
    found: `${value ?? 'unknown'}, and read-only`,
    why: 'Pods reach Services and each other through this machine',
    todo: 'on the host: sysctl -w net.ipv4.ip_forward=1',
  };
}

/** Docker and firewalls can make bridged packets pass their own rules. */
export function checkBridgeFilter(host: Host): Finding {
  const check = 'bridge filter';
  const isOn = host.administersNetwork && host.read('/proc/sys/net/bridge/bridge-nf-call-iptables') === '1';
  if (!isOn) return { check, state: 'ok', found: 'off' };
  return {
    check,
    state: 'warn',
    found: 'on (br_netfilter)',
    why: 'rules of Docker or a firewall also see packets between Pods of this machine and may drop them',
    todo: 'if Pods cannot reach each other: sysctl -w net.bridge.bridge-nf-call-iptables=0',
  };
}

const ranges = ['10.244.0.0/16', '10.96.0.0/16'] as const;

/** Whether the default ranges of Pods and Services belong to another network already. */
export function checkRanges(host: Host): Finding {
  const check = 'addresses';
  const ours = [host.running?.network.podCidr, host.running?.network.serviceCidr];
  const routes = routesOf(host.read('/proc/net/route') ?? '').filter(({ link }) => link !== 'fairlead0');
  const clash = ranges.flatMap((range) => {
    const parsed = parseCidr(range);
    return routes.filter((route) => {
      const other = parseCidr(route.cidr);
      return parsed !== undefined && other !== undefined && route.length > 0 && cidrsOverlap(parsed, other);
    });
  })[0];
  if (clash === undefined || ours.includes(clash.cidr) || !host.administersNetwork) {
    return { check, state: 'ok', found: `${ranges.join(' and ')} are free` };
  }
  return {
    check,
    state: 'warn',
    found: `${clash.cidr} is a network on ${clash.link}`,
    why: 'Pods get addresses of 10.244.0.0/16 and Services of 10.96.0.0/16',
    todo: 'choose others: fairlead up --pod-cidr 10.200.0.0/24 --service-cidr 10.201.0.0/16',
  };
}

interface Route {
  readonly link: string;
  readonly cidr: string;
  /** Of the prefix, in bits. */
  readonly length: number;
}

/** The IPv4 routes in `/proc/net/route`: hexadecimal words in the byte order of the machine. */
function routesOf(table: string): readonly Route[] {
  return table
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields.length > 7)
    .map(([link = '', destination = '', , , , , , mask = '']) => {
      const length = [...Number.parseInt(mask, 16).toString(2)].filter((bit) => bit === '1').length;
      return { link, cidr: `${dotted(destination)}/${length}`, length };
    });
}

function dotted(littleEndianHex: string): string {
  return (littleEndianHex.match(/../g) ?? [])
    .toReversed()
    .map((byte) => Number.parseInt(byte, 16))
    .join('.');
}

const ports = [
  { protocol: 'tcp', address: '127.0.0.1', port: 6443, use: 'the API server', flag: '--port' },
  { protocol: 'udp', address: '127.0.0.1', port: 10053, use: 'DNS for this machine', flag: '--dns-port' },
  { protocol: 'tcp', address: '127.0.0.1', port: 10053, use: 'DNS for this machine', flag: '--dns-port' },
] as const;

/** Whether the ports that `up` listens on are free. */
export async function checkPorts(host: Host): Promise<Finding> {
  const check = 'ports';
  if (host.running !== undefined) return { check, state: 'ok', found: 'in use by the Fairlead that runs' };
  for (const { protocol, address, port, use, flag } of ports) {
    const problem = await host.whyNotListen(protocol, address, port);
    if (problem === undefined) continue;
    return {
      check,
      state: 'fail',
      found: `${address}:${port}/${protocol} is taken (${problem})`,
      why: `${use} listens there`,
      todo: `end what uses it (ss -lnp | grep :${port}), or choose another: fairlead up ${flag} ${port + 1}`,
    };
  }
  return { check, state: 'ok', found: 'free: 6443 (API), 10053 (DNS)' };
}
