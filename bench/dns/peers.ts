import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hasProgram, serviceAddress } from '../load/services.ts';
import { dnsmasq, knot, type Peer, unbound, written } from './debian-servers.ts';
import { nameOfService, ttlSeconds, zone } from './names.ts';

/** The peers that are installed, configured in `folder` with `services` names. */
export function peersIn(folder: string, services: number): Peer[] {
  const addresses = Array.from({ length: services }, (_, at) => ({ name: nameOfService(at), ip: serviceAddress(at) }));
  writeFileSync(join(folder, 'zone'), zoneFile(addresses));
  const all = [
    knot({ name: 'knot', folder, port: 5301 }, zone),
    nsd(folder, 5302),
    unbound({ name: 'unbound', folder, port: 5303 }, unboundLines(addresses)),
    dnsmasq({ name: 'dnsmasq', folder, port: 5304 }, dnsmasqLines(addresses)),
  ];
  return all.filter(({ command }) => hasProgram(command[0] ?? ''));
}

type Address = { readonly name: string; readonly ip: string };

function zoneFile(addresses: readonly Address[]): string {
  const head = `$ORIGIN ${zone}.\n$TTL ${ttlSeconds}\n@ SOA ns.dns hostmaster 1 7200 1800 86400 ${ttlSeconds}\n`;
  const records = addresses.map(({ name, ip }) => `${name}. A ${ip}\n`);
  return `${head}@ NS ns.dns\nns.dns A 127.0.0.1\n${records.join('')}`;
}

function nsd(folder: string, port: number): Peer {
  const lines = [
    'server:',
    `  ip-address: 127.0.0.1@${port}`,
    '  server-count: 1',
    '  username: ""',
    `  zonesdir: "${folder}"`,
    '  database: ""',
    `  pidfile: "${join(folder, 'nsd.pid')}"`,
    `  xfrdfile: "${join(folder, 'nsd.xfrd')}"`,
    `  zonelistfile: "${join(folder, 'nsd.list')}"`,
    `  xfrdir: "${folder}"`,
    'remote-control:',
    '  control-enable: no',
    'zone:',
    `  name: ${zone}`,
    '  zonefile: zone',
  ];
  return { name: 'nsd', port, command: ['nsd', '-d', '-c', written(folder, 'nsd', lines)] };
}

function unboundLines(addresses: readonly Address[]): string[] {
  return [
    `  local-zone: "${zone}." static`,
    `  local-data: "${zone}. ${ttlSeconds} SOA ns.dns.${zone}. hostmaster.${zone}. 1 7200 1800 86400 ${ttlSeconds}"`,
    ...addresses.map(({ name, ip }) => `  local-data: "${name}. ${ttlSeconds} A ${ip}"`),
  ];
}

function dnsmasqLines(addresses: readonly Address[]): string[] {
  const records = addresses.map(({ name, ip }) => `host-record=${name},${ip}`);
  return [`local=/${zone}/`, `local-ttl=${ttlSeconds}`, ...records];
}
