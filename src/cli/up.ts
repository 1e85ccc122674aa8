import { existsSync } from 'node:fs';
import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { processStart } from '../linux/process-start.ts';
import { createMetrics } from '../observe/metrics.ts';
import { CommandError } from './command-error.ts';
import { defineCommand } from './command.ts';
import type { CommandContext } from './command.ts';
import { aborted } from './component/connected.ts';
import { logOptions, loggerOf } from './component/options.ts';
import { dataOption, defaultDataFolder, makeDataFolder, removeDataFolder } from './data-folder.ts';
import { exitCodes } from './exit-codes.ts';
import type { ExitCode } from './exit-codes.ts';
import { palette } from './palette.ts';
import { planeOption, serviceOptions } from './proxy/options.ts';
import { readDefaults } from './proxy/settings.ts';
import { isRunning, readRunFile, removeRunFile, writeRunFile } from './run-file.ts';
import type { RunFile } from './run-file.ts';
import { createProgress } from './up/progress.ts';
import { readyScreen } from './up/screen.ts';
import { decideSettings } from './up/settings.ts';
import type { UpSettings } from './up/settings.ts';
import { startSystem } from './up/system.ts';
import type { RunningSystem } from './up/system.ts';
import { fairleadVersion } from './version.ts';

const options = {
  ...dataOption,
  port: {
    type: 'number',
    value: 'PORT',
    min: 1,
    max: 65_535,
    default: 6443,
    summary: 'Port of the API server (default: 6443)',
  },
  'dns-port': {
    type: 'number',
    value: 'PORT',
    min: 1,
    max: 65_535,
    default: 10_053,
    summary: 'Port on 127.0.0.1 where this machine can ask the cluster DNS (default: 10053)',
  },
  ...planeOption,
  ...serviceOptions,
  'cluster-domain': {
    type: 'string',
    value: 'NAME',
    default: 'cluster.local',
    summary: 'Zone of the cluster DNS (default: cluster.local)',
  },
  'node-name': { type: 'string', value: 'NAME', summary: 'Name of the node (default: the host name)' },
  'pod-cidr': { type: 'string', value: 'CIDR', summary: 'Addresses of Pods (default: 10.244.0.0/24)' },
  'service-cidr': { type: 'string', value: 'CIDR', summary: 'Addresses of Services (default: 10.96.0.0/16)' },
  ...logOptions,
} as const;

type UpContext = CommandContext<typeof options>;

/** `fairlead up`. */
export const command = defineCommand({
  name: 'up',
  summary: 'Start everything on this machine, in the foreground',
  usage: ['up [flags]'],
  description: `Starts the API server, controllers, node agent, node proxy and DNS in one process. As root, Pods get network
namespaces and the kernel moves the packets (nftables); without root everything is on loopback addresses.
Ctrl-C or \`fairlead down\` ends it and takes everything away. After a crash the next start takes over what still runs.`,
  options,
  examples: [
    { command: 'fairlead up', does: 'Everything, gone again after Ctrl-C' },
    { command: 'fairlead up --data ./state', does: 'Keep the objects for the next start' },
  ],
  run,
});

async function run(context: UpContext): Promise<ExitCode> {
  const settings = settingsOf(context);
  try {
    refuseSecondStart(settings);
  } catch (error) {
    throw explained(error, settings);
  }
  const colours = palette(context.stdout, context.env);
  const version = await fairleadVersion();
  context.stdout.write(`Starting Fairlead ${version} ${settings.mode === 'root' ? 'as root' : 'without root'}\n`);
  const isNew = !existsSync(settings.dataDir);
  makeDataFolder(settings.dataDir, settings.mode === 'root' ? 0o755 : 0o700);
  const system = await startSystem({
    settings,
    logger: loggerOf('fairlead', context.options, context),
    metrics: createMetrics(),
    progress: createProgress(context.stdout, colours, () => performance.now()),
    version,
    takesOver: readRunFile(settings.dataDir) !== undefined,
  }).catch((error: unknown) => {
    if (isNew && !settings.keepsData) removeDataFolder(settings.dataDir);
    throw explained(error, settings);
  });
  const run = runFileOf(settings, system, version);
  writeRunFile(run);
  context.stdout.write(readyScreen(run, launcherName(context), colours));
  await aborted(context.signal);
  context.stdout.write('\nStopping: Pods, names, addresses ...');
  await system[Symbol.asyncDispose]();
  removeRunFile(settings.dataDir);
  if (!settings.keepsData) removeDataFolder(settings.dataDir);
  context.stdout.write(' all gone.\n');
  return exitCodes.ok;
}

function settingsOf(context: UpContext): UpSettings {
  const { options } = context;
  try {
    return decideSettings(
      {
        data: options.data === undefined ? undefined : resolve(context.cwd, options.data),
        port: options.port,
        dnsPort: options['dns-port'],
        plane: options.plane ?? 'auto',
        serviceDefaults: readDefaults(options),
        allowExternalIps: options['allow-external-ips'],
        clusterDomain: options['cluster-domain'],
        nodeName: options['node-name'],
        podCidr: options['pod-cidr'],
        serviceCidr: options['service-cidr'],
      },
      { uid: context.uid, hostName: hostname(), defaultDataDir: defaultDataFolder(context) },
    );
  } catch (error) {
    throw new CommandError(error instanceof Error ? error.message : String(error), {
      code: exitCodes.usage,
      cause: error,
    });
  }
}

function refuseSecondStart({ dataDir }: UpSettings): void {
  const run = readRunFile(dataDir);
  if (run === undefined || !isRunning(run)) return;
  throw new CommandError(`Fairlead runs already in ${dataDir} (process ${run.pid})`, {
    code: exitCodes.conflict,
    hint: 'see fairlead status; end it with fairlead down; or start a second one with another --data, --port and ranges',
  });
}

/** Failures of a start that users can mend, with what to do. */
function explained(error: unknown, settings: UpSettings): unknown {
  if (!(error instanceof Error) || !('code' in error)) return error;
  const { api, dns, dataDir } = settings;
  if (error.code === 'EADDRINUSE') {
    return new CommandError(`a port is taken by another program: ${error.message}`, {
      hint: `choose others with --port (now ${api.port}) and --dns-port (now ${dns.host.port}), or see fairlead doctor`,
      cause: error,
    });
  }
  if (error.code === 'EACCES' || error.code === 'EROFS') {
    return new CommandError(`not allowed: ${error.message}`, {
      code: exitCodes.unsupported,
      hint: `is ${dataDir} yours? choose a folder with --data`,
      cause: error,
    });
  }
  return error;
}

function runFileOf(settings: UpSettings, system: RunningSystem, version: string): RunFile {
  const { network, dns } = settings;
  return {
    version: 1,
    pid: process.pid,
    processStart: processStart(process.pid) ?? '',
    startedAt: new Date().toISOString(),
    fairleadVersion: version,
    dataDir: settings.dataDir,
    keepsData: settings.keepsData,
    mode: settings.mode,
    nodeName: settings.nodeName,
    api: system.api.url,
    kubeconfig: system.api.kubeconfig,
    clusterDomain: settings.clusterDomain,
    dns: { clusterAddress: dns.clusterAddress, hostAddress: `${dns.host.address}:${dns.host.port}` },
    plane: { name: system.proxy.choice.plane, reason: planeReason(settings, system) },
    network: { podCidr: network.podCidr, serviceCidr: network.serviceCidr, gateway: network.gateway },
  };
}

/** Without root the plane was never a choice. */
function planeReason({ mode }: UpSettings, system: RunningSystem): string {
  return mode === 'rootless' ? 'nftables needs root' : system.proxy.choice.reason;
}

/** How to call the program from where the user stands. */
function launcherName({ env }: UpContext): string {
  return env['FAIRLEAD_LAUNCHER'] ?? 'fairlead';
}
