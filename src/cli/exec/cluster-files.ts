import { existsSync, readFileSync } from 'node:fs';
import type { EndpointSlice } from '../../api/discovery/endpoint-slice.ts';
import type { Service } from '../../api/core/service.ts';
import { CommandError } from '../command-error.ts';
import type { CommandIo } from '../command.ts';
import { connect } from '../connection.ts';
import type { ConnectionFlags } from '../connection.ts';
import { exitCodes } from '../exit-codes.ts';
import { listObjects } from '../objects/read.ts';
import { findResourceType, loadResourceTypes } from '../objects/resource-types.ts';
import type { AnyObject } from '../objects/rest.ts';
import { isRunning } from '../run-file.ts';
import type { RunFile } from '../run-file.ts';
import { findRunFile } from '../running.ts';
import type { ReplacedFiles } from './host-command.ts';
import { hostsFile, nsswitchConf, resolvConf } from './resolver-files.ts';
import type { HostName } from './resolver-files.ts';

type FilesContext = CommandIo & { readonly options: ConnectionFlags & { readonly data: string | undefined } };

const resolvPath = '/etc/resolv.conf';
const nsswitchPath = '/etc/nsswitch.conf';
const hostsPath = '/etc/hosts';
/** The name service cache of glibc keeps answers of the host's own resolvers. */
const nscdSocket = '/run/nscd/socket';

/** The files that give a program of this machine the DNS of the running cluster. Throws `CommandError`. */
export async function clusterFiles(context: FilesContext): Promise<ReplacedFiles> {
  const run = runningCluster(context);
  const resolver = { domain: run.clusterDomain, namespace: context.options.namespace ?? 'default' };
  const address = resolverAddress(run);
  const plain = nameServiceFiles();
  if (address !== undefined) return { ...plain, [mustExist(resolvPath)]: resolvConf({ ...resolver, address }) };
  const names = await serviceNames(context);
  context.stderr.write(
    `note: without root the cluster DNS has no port 53; PROGRAM gets the ${names.length} names of now in its ${hostsPath}\n`,
  );
  return { ...plain, [mustExist(hostsPath)]: hostsFile(readFileSync(hostsPath, 'utf8'), names, resolver) };
}

function runningCluster(context: FilesContext): RunFile {
  const run = findRunFile(context.options, context);
  if (run !== undefined && isRunning(run)) return run;
  throw new CommandError('no Fairlead runs on this machine that could answer DNS', {
    code: exitCodes.notReachable,
    hint: 'start it with: fairlead up   (or name its data folder with --data DIR)',
  });
}

/** An address on which DNS answers at port 53, which is the only port that resolv.conf knows. */
function resolverAddress({ mode, dns }: RunFile): string | undefined {
  const host = /^(.*):53$/.exec(dns.hostAddress)?.[1];
  if (host !== undefined) return host;
  return mode === 'root' || lowestFreePort() <= 53 ? dns.clusterAddress : undefined;
}

/** The lowest port that a process without privileges may listen on. */
function lowestFreePort(): number {
  return Number(readFileSync('/proc/sys/net/ipv4/ip_unprivileged_port_start', 'utf8'));
}

function nameServiceFiles(): ReplacedFiles {
  const cache: ReplacedFiles = existsSync(nscdSocket) ? { [nscdSocket]: '' } : {};
  // Without the file the C library asks DNS first, which is what is wanted.
  if (!existsSync(nsswitchPath)) return cache;
  return { ...cache, [nsswitchPath]: nsswitchConf(readFileSync(nsswitchPath, 'utf8')) };
}

function mustExist(path: string): string {
  if (existsSync(path)) return path;
  throw new CommandError(`this machine has no ${path} that a program could be shown another version of`, {
    code: exitCodes.unsupported,
    hint: `make an empty one: touch ${path}`,
  });
}

async function serviceNames(context: FilesContext): Promise<readonly HostName[]> {
  await using connection = await connect(context);
  const { transport } = connection;
  const types = await loadResourceTypes(transport, context.signal);
  const list = async <T extends AnyObject>(word: string) =>
    (await listObjects<T>(transport, { type: findResourceType(types, word), namespace: undefined }, context.signal))
      .items;
  const services = await list<AnyObject & Service>('services');
  const slices = await list<AnyObject & EndpointSlice>('endpointslices');
  return [...services.flatMap(clusterName), ...slices.flatMap((slice) => peerNames(slice, services))];
}

function clusterName({ metadata, spec }: Service): HostName[] {
  const { name: service = '', namespace = '' } = metadata;
  const address = spec?.clusterIP;
  return address === undefined || address === '' || address === 'None' ? [] : [{ address, service, namespace }];
}

/** A headless Service has the addresses of its ready endpoints, and a name for each that has a hostname. */
function peerNames(slice: EndpointSlice, services: readonly Service[]): HostName[] {
  const service = slice.metadata.labels?.['kubernetes.io/service-name'] ?? '';
  const namespace = slice.metadata.namespace ?? '';
  const owner = services.find(({ metadata }) => metadata.name === service && metadata.namespace === namespace);
  if (owner?.spec?.clusterIP !== 'None') return [];
  const ready = (slice.endpoints ?? []).filter(({ conditions }) => conditions?.ready !== false);
  return ready.flatMap(({ addresses, hostname }) =>
    addresses.flatMap((address) => [
      { address, service, namespace },
      ...(hostname ? [{ address, service: `${hostname}.${service}`, namespace }] : []),
    ]),
  );
}
