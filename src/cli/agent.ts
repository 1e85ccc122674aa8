import { join, resolve } from 'node:path';
import { setUpNodeNetwork } from '../agent/network/node-network.ts';
import { startAgent } from '../agent/run.ts';
import { createAuthority, issueCertificate } from '../apiserver/pki/certificate.ts';
import type { KeyPair } from '../apiserver/pki/certificate.ts';
import { cidrAddress, parseCidr } from '../lib/cidr.ts';
import { CommandError, UsageError } from './command-error.ts';
import { defineCommand } from './command.ts';
import type { CommandContext } from './command.ts';
import { readAddress } from './component/addresses.ts';
import { aborted, componentOptions, connectComponent, nodeName, nodeOption } from './component/connected.ts';
import { dataOption, defaultDataFolder } from './data-folder.ts';
import { exitCodes } from './exit-codes.ts';
import type { ExitCode } from './exit-codes.ts';
import { fairleadVersion } from './version.ts';

const yearMs = 365 * 24 * 60 * 60 * 1000;

const options = {
  ...nodeOption,
  ...dataOption,
  'pod-cidr': {
    type: 'string',
    value: 'CIDR',
    summary: 'Addresses of Pods on this node (default: 10.244.0.0/24; without root 127.244.0.0/24)',
  },
  'cluster-cidr': { type: 'string', value: 'CIDR', summary: 'Addresses of all Pods (default: the range of this node)' },
  'service-cidr': {
    type: 'string',
    value: 'CIDR',
    summary: 'Addresses of Services (default: 10.96.0.0/16; without root 127.96.0.0/16)',
  },
  'cluster-dns': {
    type: 'strings',
    value: 'ADDRESS',
    summary: "DNS server of Pods (default: the node's)",
  },
  'cluster-domain': {
    type: 'string',
    value: 'NAME',
    default: 'cluster.local',
    summary: 'Zone of the cluster DNS (default: cluster.local)',
  },
  listen: {
    type: 'string',
    value: 'ADDRESS:PORT',
    summary: 'Where the API server reaches it (default: the first Pod address, port 10250)',
  },
  'remove-on-exit': { type: 'boolean', summary: 'End the Pods and take everything away at the end; else they run on' },
  ...componentOptions,
} as const;

type AgentContext = CommandContext<typeof options>;

/** `fairlead agent`. */
export const command = defineCommand({
  name: 'agent',
  summary: 'Run the node agent alone: Pods as processes, against any API server',
  usage: ['agent [flags]'],
  description: `Registers this machine as a node and runs the Pods that are placed on it. Pods run on when it ends, and the next start
takes them over; --remove-on-exit takes everything away.`,
  options,
  examples: [
    { command: 'fairlead agent --kubeconfig node.kubeconfig --pod-cidr 10.244.1.0/24', does: 'A further node' },
  ],
  run,
});

async function run(context: AgentContext): Promise<ExitCode> {
  const { options } = context;
  const isRoot = context.uid === 0;
  const network = networkOf(context, isRoot ? '10' : '127');
  const folder = options.data === undefined ? defaultDataFolder(context) : resolve(context.cwd, options.data);
  const dataDir = join(folder, 'agent');
  const { address, port } = readAddress('listen', options.listen ?? network.gateway, 10_250);
  await using connected = await connectComponent('agent', context);
  const { client, caches, logger, metrics, connection } = connected;
  const clientCa = connection.credentials.ca;
  if (clientCa === undefined) {
    throw new CommandError(
      'the kubeconfig names no certificate-authority, so the agent cannot tell who the API server is',
      {
        hint: 'add certificate-authority-data to its cluster',
      },
    );
  }
  if (isRoot) setUpNodeNetwork(dataDir, network);
  const name = nodeName(options);
  const serving = await selfSigned(name, address);
  const agent = await startAgent({
    client,
    caches,
    logger,
    metrics,
    nodeName: name,
    dataDir,
    runtime: 'auto',
    network,
    nodeIp: address,
    clusterDns: options['cluster-dns'],
    clusterDomain: options['cluster-domain'],
    tls: { cert: serving.certificate, key: serving.key, clientCa },
    listen: { host: address, port },
    version: await fairleadVersion(),
  });
  context.stdout.write(`Node ${name} runs Pods of ${network.podCidr} (${agent.runtime})\n`);
  await aborted(context.signal);
  await (options['remove-on-exit'] ? agent.removeEverything() : agent.close());
  return exitCodes.ok;
}

function networkOf({ options }: AgentContext, first: '10' | '127') {
  const range = (flag: 'pod-cidr' | 'service-cidr', fallback: string) => {
    const cidr = parseCidr(options[flag] ?? fallback);
    if (cidr?.family !== 'IPv4')
      throw new UsageError(`--${flag}: "${options[flag]}" is not an IPv4 range like ${fallback}`);
    return cidr;
  };
  const pods = range('pod-cidr', `${first}.244.0.0/24`);
  const services = range('service-cidr', `${first}.96.0.0/16`);
  const podCidr = pods.text;
  return {
    podCidr,
    clusterCidr: options['cluster-cidr'] ?? podCidr,
    serviceCidr: services.text,
    gateway: cidrAddress(pods, 1),
  };
}

/** The API server does not verify agents by default, as with kubelets; who may call the agent is verified by the agent. */
async function selfSigned(name: string, address: string): Promise<KeyPair> {
  const now = Date.now();
  const life = { notBefore: new Date(now - 60_000), notAfter: new Date(now + yearMs) };
  const authority = await createAuthority(`fairlead-agent-${name}`, life.notBefore, life.notAfter);
  return issueCertificate(authority, {
    commonName: `system:node:${name}`,
    usage: 'server',
    dnsNames: [name],
    addresses: [address],
    ...life,
  });
}
