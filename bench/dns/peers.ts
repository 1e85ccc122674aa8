import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hasProgram, serviceAddress } from '../load/services.ts';
import { nameOfService, ttlSeconds, zone } from './names.ts';

/** A server of Debian with the same names as ours, on one thread. */
export interface Peer {
  readonly name: string;
  readonly command: readonly string[];
  readonly port: number;
}

/** The peers that are installed, configured in `folder` with `services` names. */
export function peersIn(folder: string, services: number): Peer[] {
  const addresses = Array.from({ length: services }, (_, at) => ({ name: nameOfService(at), ip: serviceAddress(at) }));
  writeFileSync(join(folder, 'zone'), zoneFile(addresses));
  const all = [
    knot(folder, 5301),
    nsd(folder, 5302),
    unbound(folder, 5303, addresses),
    dnsmasq(folder, 5304, addresses),
  ];
  return all.filter(({ command }) => hasProgram(command[0] ?? ''));
}

type Address = { readonly name: string; readonly ip: string };

function zoneFile(addresses: readonly Address[]): string {
  const head = `$ORIGIN ${zone}.\n$TTL ${ttlSeconds}\n@ SOA ns.dns hostmaster 1 7200 1800 86400 ${ttlSeconds}\n`;
  const records = addresses.map(({ name, ip }) => `${name}. A ${ip}\n`);
  return `${head}@ NS ns.dns\nns.dns A 127.0.0.1\n${records.join('')}`;
}

function knot(folder: string, port: number): Peer {
  const run = join(folder, 'knot');
  mkdirSync(run);
  const lines = [
    'server:',
    `  listen: 127.0.0.1@${port}`,
    `  rundir: ${run}`,
    '  udp-workers: 1',
    '  tcp-workers: 1',
    '  background-workers: 1',
    'database:',
    `  storage: ${run}`,
    'template:',
    '  - id: default',
    `    storage: ${folder}`,
    '    zonefile-sync: -1',
    '    journal-content: none',
    'zone:',
    `  - domain: ${zone}`,
    '    file: zone',
  ];
  return { name: 'knot', port, command: ['knotd', '-c', written(folder, 'knot.conf', lines)] };
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
  return { name: 'nsd', port, command: ['nsd', '-d', '-c', written(folder, 'nsd.conf', lines)] };
}

function unbound(folder: string, port: number, addresses: readonly Address[]): Peer {
  const lines = [
    'server:',
    '  interface: 127.0.0.1',
    `  port: ${port}`,
    '  num-threads: 1',
    '  username: ""',
    '  chroot: ""',
    `  directory: "${folder}"`,
    '  pidfile: ""',
    '  do-daemonize: no',
    '  use-syslog: no',
    '  module-config: "iterator"',
    `  local-zone: "${zone}." static`,
    `  local-data: "${zone}. ${ttlSeconds} SOA ns.dns.${zone}. hostmaster.${zone}. 1 7200 1800 86400 ${ttlSeconds}"`,
    ...addresses.map(({ name, ip }) => `  local-data: "${name}. ${ttlSeconds} A ${ip}"`),
    'remote-control:',
    '  control-enable: no',
  ];
  return { name: 'unbound', port, command: ['unbound', '-d', '-c', written(folder, 'unbound.conf', lines)] };
}

function dnsmasq(folder: string, port: number, addresses: readonly Address[]): Peer {
  const lines = [
    `port=${port}`,
    'listen-address=127.0.0.1',
    'bind-interfaces',
    'no-resolv',
    'no-hosts',
    'user=root',
    'pid-file=',
    `local=/${zone}/`,
    `local-ttl=${ttlSeconds}`,
    ...addresses.map(({ name, ip }) => `host-record=${name},${ip}`),
  ];
  return {
    name: 'dnsmasq',
    port,
    command: ['dnsmasq', '--keep-in-foreground', `--conf-file=${written(folder, 'dnsmasq.conf', lines)}`],
  };
}

/** Writes a file of lines; returns its path. */
export function written(folder: string, name: string, lines: readonly string[]): string {
  const path = join(folder, name);
  writeFileSync(path, `${lines.join('\n')}\n`);
  return path;
}
