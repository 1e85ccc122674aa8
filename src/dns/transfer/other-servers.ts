import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SocketAddress } from '../config.ts';
import type { TsigKey } from '../settings/settings.ts';

/** For tests: zones that other servers get from a primary, and where they answer. */
export interface SecondaryOptions {
  readonly zones: readonly string[];
  readonly primary: SocketAddress;
  readonly key: TsigKey;
  readonly at: SocketAddress;
  /** An empty folder of its own. */
  readonly folder: string;
}

/** Debian's Knot DNS as a secondary server, in the network namespace of the caller. */
export async function startKnot({ zones, primary, key, at, folder }: SecondaryOptions): Promise<AsyncDisposable> {
  await mkdir(folder, { recursive: true });
  const text = `
server:
  listen: ${at.address}@${at.port}
  rundir: ${folder}
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
log:
  - target: stderr
    any: error
database:
  storage: ${folder}
key:
  - id: ${key.name}
    algorithm: ${key.algorithm}
    secret: ${key.secret}
remote:
  - id: primary
    address: ${primary.address}@${primary.port}
    key: ${key.name}
acl:
  - id: told
    key: ${key.name}
    action: notify
zone:
${zones.map((zone) => `  - domain: ${zone}\n    storage: ${folder}\n    master: primary\n    acl: told\n`).join('')}`;
  await writeFile(join(folder, 'knot.conf'), text);
  return run('knotd', ['--config', join(folder, 'knot.conf')]);
}

/** The same with Debian's NSD. */
export async function startNsd({ zones, primary, key, at, folder }: SecondaryOptions): Promise<AsyncDisposable> {
  await mkdir(folder, { recursive: true });
  const text = `
server:
  ip-address: ${at.address}
  port: ${at.port}
  server-count: 1
  username: ""
  zonesdir: "${folder}"
  database: ""
  pidfile: "${folder}/nsd.pid"
  logfile: "${folder}/nsd.log"
  xfrdfile: "${folder}/xfrd.state"
  zonelistfile: "${folder}/zone.list"
  xfrdir: "${folder}"
  rrl-ratelimit: 0
remote-control:
  control-enable: no
key:
  name: "${key.name}"
  algorithm: ${key.algorithm}
  secret: "${key.secret}"
${zones
  .map(
    (zone) => `zone:
  name: "${zone}"
  request-xfr: ${primary.address}@${primary.port} ${key.name}
  allow-notify: ${primary.address} ${key.name}
`,
  )
  .join('')}`;
  await writeFile(join(folder, 'nsd.conf'), text);
  return run('nsd', ['-d', '-c', join(folder, 'nsd.conf')]);
}

/** A process that ends with its disposal. */
function run(command: string, args: readonly string[]): AsyncDisposable {
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  const ended = once(child, 'close');
  return {
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}
