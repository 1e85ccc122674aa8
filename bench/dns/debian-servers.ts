import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A DNS server of Debian on loopback, on one thread. */
export interface Peer {
  readonly name: string;
  readonly command: readonly string[];
  readonly port: number;
}

/** Where a server listens and keeps its files; its configuration goes in a file of its name. */
export interface Place {
  readonly name: string;
  readonly folder: string;
  readonly port: number;
}

/** Knot with the zone in the file `zone` of the folder. */
export function knot({ name, folder, port }: Place, zone: string): Peer {
  const run = join(folder, `run-${name}`);
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
  return { name, port, command: ['knotd', '-c', written(folder, name, lines)] };
}

/** Unbound; `own` are further lines of its section `server`, `sections` those that come after it. */
export function unbound({ name, folder, port }: Place, own: readonly string[], sections: readonly string[] = []): Peer {
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
    ...own,
    ...sections,
    'remote-control:',
    '  control-enable: no',
  ];
  return { name, port, command: ['unbound', '-d', '-c', written(folder, name, lines)] };
}

/** dnsmasq with further lines. */
export function dnsmasq({ name, folder, port }: Place, own: readonly string[]): Peer {
  const lines = [
    `port=${port}`,
    'listen-address=127.0.0.1',
    'bind-interfaces',
    'no-resolv',
    'no-hosts',
    'user=root',
    'pid-file=',
    ...own,
  ];
  return { name, port, command: ['dnsmasq', '--keep-in-foreground', `--conf-file=${written(folder, name, lines)}`] };
}

/** Writes a server's configuration; returns its path. */
export function written(folder: string, name: string, lines: readonly string[]): string {
  const path = join(folder, `${name}.conf`);
  writeFileSync(path, `${lines.join('\n')}\n`);
  return path;
}
