import { mkdirSync, readFileSync } from 'node:fs';
import { isConflict, isNotFound } from '../api/errors.ts';
import { ConfigMap } from '../api/core/config-map.ts';
import { Pod } from '../api/core/pod.ts';
import { Secret } from '../api/core/secret.ts';
import { Service } from '../api/core/service.ts';
import { nameOf, namespaceOf } from '../api/meta/object-meta.ts';
import type { Client } from '../client/client.ts';
import { createEventRecorder } from '../client/event-recorder.ts';
import type { EventRecorder } from '../client/event-recorder.ts';
import { mayAdministerNetwork } from '../linux/namespaces.ts';
import { silentLogger } from '../observe/log.ts';
import type { Logger } from '../observe/log.ts';
import { createMetrics } from '../observe/metrics.ts';
import { createBackend } from './backend.ts';
import { cleanUp } from './clean-up.ts';
import type { AgentConfig, AgentHandle } from './config.ts';
import { parseResolvConf } from './environment/resolv-conf.ts';
import { agentMetrics } from './metrics.ts';
import type { AgentMetrics } from './metrics.ts';
import { createIpam } from './network/ipam.ts';
import { defaultBridge, setUpNodeNetwork } from './network/node-network.ts';
import { readMachine } from './node/node-object.ts';
import type { NodeFacts } from './node/node-object.ts';
import { registerNode } from './node/registration.ts';
import { openCgroups } from './runtime/cgroups.ts';
import { layoutOf } from './runtime/layout.ts';
import { createNetnsRuntime } from './runtime/netns.ts';
import { createPlainRuntime } from './runtime/plain.ts';
import type { Runtime } from './runtime/runtime.ts';
import { startAgentServer } from './server/https-server.ts';
import { runPods } from './worker/pods.ts';
import type { Pods } from './worker/pods.ts';
import { createStatusWriter } from './worker/status-writer.ts';
import type { Surroundings } from './worker/surroundings.ts';
import { requestToken } from './worker/tokens.ts';

const defaultVersion = 'v1.36.0';

/**
 * Starts the node's agent: registers the node, serves logs, exec, attach and port-forward, adopts the Pods that still run
 * and looks after all of this node's. Resolves when the node is registered and its Pods are looked after.
 */
export async function startAgent(config: AgentConfig): Promise<AgentHandle> {
  const { logger = silentLogger, now = Date.now } = config;
  const stop = new AbortController();
  const runtime = openRuntime(config);
  if (runtime.name === 'netns') setUpNodeNetwork(config.dataDir, config.network);
  const machine = readMachine();
  const hostIp = config.nodeIp ?? config.network.gateway;
  const client = config.caches.client;
  const metrics = agentMetrics(config.metrics ?? createMetrics());
  const recorder = createEventRecorder({ client, component: 'kubelet', host: config.nodeName, logger, now });
  const node = {
    name: config.nodeName,
    hostIp,
    capacity: { cpus: machine.cpus, memoryBytes: machine.memoryBytes },
  };
  const around = surroundings(config, { runtime, client, recorder, metrics, node, signal: stop.signal, logger, now });
  let pods: Pods | undefined;
  const server = await startAgentServer({
    backend: createBackend(around, () => pods),
    listen: { address: config.listen.host, port: config.listen.port },
    tls: { certificate: config.tls.cert, key: config.tls.key, clientAuthority: config.tls.clientCa },
    logger,
    now,
  });
  const address = { host: config.listen.host, port: server.address.port };
  const facts: NodeFacts = {
    ...machine,
    name: config.nodeName,
    ip: hostIp,
    podCidr: config.network.podCidr,
    agentPort: address.port,
    runtime: runtime.name,
    version: config.version ?? defaultVersion,
  };
  const [registration] = await Promise.all([
    registerNode({ client: config.client, facts, signal: stop.signal, logger, now }),
    config.caches.of(Pod).synced,
    config.caches.of(Service).synced,
    config.caches.of(ConfigMap).synced,
    config.caches.of(Secret).synced,
  ]);
  pods = runPods(around, config.caches);
  logger.info('the agent is running', { node: config.nodeName, runtime: runtime.name, port: address.port });

  let closing: Promise<void> | undefined;
  async function close(): Promise<void> {
    pods?.close();
    runtime.close();
    stop.abort();
    await server[Symbol.asyncDispose]();
    await registration.done;
    await recorder[Symbol.asyncDispose]();
  }
  const closeOnce = () => (closing ??= close());
  config.signal?.addEventListener('abort', () => void closeOnce(), { once: true });
  return {
    runtime: runtime.name,
    address,
    close: closeOnce,
    async removeEverything() {
      await closeOnce();
      await cleanUp(config.dataDir);
    },
    [Symbol.asyncDispose]: closeOnce,
  };
}

/** The runtime that fits the machine. Throws when `netns` is asked for without the rights it needs. */
function openRuntime({ dataDir, runtime, network }: AgentConfig): Runtime {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const layout = layoutOf(dataDir);
  const mayNetns = mayAdministerNetwork();
  if (runtime === 'netns' && !mayNetns)
    throw new Error('Pods with networks of their own need root; use the plain runtime');
  const cgroups = openCgroups(layout.hash);
  if (runtime === 'plain' || !mayNetns) return createPlainRuntime(layout, cgroups);
  return createNetnsRuntime(layout, cgroups, { bridge: network.bridge ?? defaultBridge, gateway: network.gateway });
}

interface Parts {
  readonly runtime: Runtime;
  readonly client: Client;
  readonly recorder: EventRecorder;
  readonly metrics: AgentMetrics;
  readonly node: Surroundings['node'];
  readonly signal: AbortSignal;
  readonly logger: Logger;
  readonly now: () => number;
}

function surroundings(config: AgentConfig, parts: Parts): Surroundings {
  const { runtime, client, recorder, metrics, node, signal, logger, now } = parts;
  const services = config.caches.of(Service);
  const configMaps = config.caches.of(ConfigMap);
  const secrets = config.caches.of(Secret);
  return {
    runtime,
    node,
    metrics,
    logger,
    now,
    layout: layoutOf(config.dataDir),
    ipam: createIpam(config.network.podCidr),
    dns: { addresses: config.clusterDns, domain: config.clusterDomain },
    hostResolvConf: () => parseResolvConf(readHostFile(config.hostResolvConf ?? '/etc/resolv.conf')),
    sources: {
      configMap: (namespace, name) => configMaps.get(name, namespace),
      secret: (namespace, name) => secrets.get(name, namespace),
    },
    services: () => services.list(),
    token: (pod, request) => requestToken(config.client, pod, request),
    event(pod, happening, container) {
      const fieldPath = container === undefined ? undefined : fieldPathOf(pod, container);
      recorder.record(Pod, pod, { ...happening, fieldPath });
    },
    statusWriter: createStatusWriter({ client, signal, logger, metrics }),
    deletePod: (pod) => deletePod(client, pod, logger),
    userAgent: 'kube-probe/1.36',
  };
}

function fieldPathOf(pod: Pod, container: string): string {
  const isInit = pod.spec.initContainers?.some(({ name }) => name === container) === true;
  return `spec.${isInit ? 'initContainers' : 'containers'}{${container}}`;
}

function readHostFile(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

async function deletePod(client: Client, pod: Pod, logger: Logger): Promise<boolean> {
  try {
    await client.delete(Pod, nameOf(pod), {
      namespace: namespaceOf(pod),
      gracePeriodSeconds: 0,
      preconditions: { uid: pod.metadata.uid },
    });
    return true;
  } catch (error) {
    if (isNotFound(error) || isConflict(error)) return true;
    logger.warn('a Pod could not be deleted from the API', { pod: nameOf(pod), error });
    return false;
  }
}
