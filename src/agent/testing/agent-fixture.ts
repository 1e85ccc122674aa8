import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Event } from '../../api/core/event.ts';
import { Pod } from '../../api/core/pod.ts';
import type { PodSpec } from '../../api/core/pod/pod-spec.ts';
import { createCaches } from '../../client/caches.ts';
import { createFakeApi } from '../../client/fake.ts';
import type { FakeApi } from '../../client/fake.ts';
import type { Logger } from '../../observe/log.ts';
import { createLogger } from '../../observe/log.ts';
import type { AgentHandle } from '../config.ts';
import { startAgent } from '../run.ts';
import { testTls } from './certificates.ts';

/** An agent over a fake API server, in the thread's network namespace, with a data folder of its own. */
export interface AgentFixture extends AsyncDisposable {
  readonly api: FakeApi;
  readonly dataDir: string;
  readonly agent: AgentHandle;
  readonly tls: Awaited<ReturnType<typeof testTls>>;
  /** Makes a Pod on the node and returns its name. */
  run(name: string, spec: PodSpec, labels?: Record<string, string>): Promise<string>;
  pod(name: string): Pod | undefined;
  /** Waits until the Pod fulfils a condition. */
  until(name: string, condition: (pod: Pod) => boolean, limitMs?: number): Promise<Pod>;
  untilGone(name: string, limitMs?: number): Promise<void>;
  events(name: string): readonly string[];
  /** Closes the agent, leaving Pods, and starts another over the same folder. */
  restart(): Promise<void>;
}

const network = {
  podCidr: '10.244.0.0/24',
  clusterCidr: '10.244.0.0/16',
  serviceCidr: '10.96.0.0/16',
  gateway: '10.244.0.1',
};

export async function agentFixture(runtime: 'netns' | 'plain' = 'netns'): Promise<AgentFixture> {
  const dataDir = mkdtempSync(join(tmpdir(), 'fairlead-agent-'));
  const api = createFakeApi();
  const tls = await testTls();
  const logger = testLogger();
  let current = await begin();

  async function begin() {
    const caches = createCaches(api.client, { logger });
    const agent = await startAgent({
      client: api.client,
      caches,
      nodeName: 'node-1',
      dataDir,
      runtime,
      network: runtime === 'netns' ? network : { ...network, podCidr: '127.244.0.0/24', gateway: '127.0.0.1' },
      clusterDns: ['10.96.0.10'],
      clusterDomain: 'cluster.local',
      tls,
      listen: { host: '127.0.0.1', port: 0 },
      logger,
    });
    return { agent, caches };
  }

  const events = (name: string) =>
    api
      .objects(Event)
      .filter(({ involvedObject }) => involvedObject?.name === name)
      .map(({ reason, message }) => `${reason}: ${message}`);
  const find = (name: string) => api.objects(Pod).find(({ metadata }) => metadata.name === name);
  return {
    api,
    dataDir,
    tls,
    get agent() {
      return current.agent;
    },
    async run(name, spec, labels = {}) {
      const pod = { metadata: { name, namespace: 'default', labels }, spec: { ...spec, nodeName: 'node-1' } };
      await api.client.create(Pod, pod, { namespace: 'default' });
      return name;
    },
    pod: find,
    async until(name, condition, limitMs = 5000) {
      for (const deadline = Date.now() + limitMs; Date.now() < deadline; await delay(3)) {
        const pod = find(name);
        if (pod !== undefined && condition(pod)) return pod;
      }
      throw new Error(`${name} did not get there: ${JSON.stringify(find(name)?.status)} ${events(name).join('; ')}`);
    },
    async untilGone(name, limitMs = 5000) {
      for (const deadline = Date.now() + limitMs; Date.now() < deadline; await delay(3)) {
        if (find(name) === undefined) return;
      }
      throw new Error(`${name} is still there: ${JSON.stringify(find(name))}`);
    },
    events,
    async restart() {
      await current.agent.close();
      await current.caches[Symbol.asyncDispose]();
      current = await begin();
    },
    async [Symbol.asyncDispose]() {
      await current.agent.removeEverything();
      await current.caches[Symbol.asyncDispose]();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

function testLogger(): Logger {
  const isLoud = process.env['FAIRLEAD_TEST_LOG'] === '1';
  return createLogger({ component: 'agent', level: isLoud ? 'debug' : 'error', out: process.stderr });
}
