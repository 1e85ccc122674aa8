import { appendFileSync } from 'node:fs';
import { get } from 'node:http';
import { parentPort, workerData } from 'node:worker_threads';
import { enterNetworkNamespace } from '../../linux/namespaces.ts';
import { type Conversation, openConversation } from './conversation.ts';
import type { HostPlace, HostReply, HostRequest, HostTask } from './hosts.ts';
import { sendStraySegments, serve } from './server.ts';

/** A machine of the contract's network: a thread in a network namespace that serves and calls ports. */

const { name, namespace, cgroup } = workerData as HostPlace;
if (namespace !== undefined) enterNetworkNamespace(namespace);
// "0" is the writing thread (Documentation/admin-guide/cgroup-v2.rst, cgroup.threads).
if (cgroup !== undefined) appendFileSync(`${cgroup}/cgroup.threads`, '0');
const held = new Map<string, Conversation>();

parentPort?.on('message', ({ id, task }: HostRequest) => {
  const answer = (reply: Omit<HostReply, 'id'>): void => {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker, not a window
    parentPort?.postMessage({ id, ...reply });
  };
  perform(task).then(
    (texts) => answer({ texts }),
    (error: unknown) => answer({ texts: [], failure: String(error) }),
  );
});

async function perform(task: HostTask): Promise<readonly string[]> {
  if (task.kind === 'serve') return serve(name, task);
  if (task.kind === 'call') return call(task);
  if (task.kind === 'again') return [(await held.get(task.hold)?.ask(0, task.patienceMs)) ?? 'nothing held'];
  if (task.kind === 'get') return [await httpGet(task.address, task.port, task.patienceMs)];
  if (task.kind === 'stray') return sendStraySegments();
  for (const conversation of held.values()) conversation.close();
  held.clear();
  return [];
}

/** One after the other, each over a connection or socket of its own. */
async function call(task: HostTask & { readonly kind: 'call' }): Promise<readonly string[]> {
  const texts: string[] = [];
  for (let time = 0; time < task.times; time += 1) {
    const conversation = openConversation(task);
    texts.push(await conversation.ask(task.size, task.patienceMs));
    if (task.hold === undefined) conversation.close();
    else held.set(time === task.times - 1 ? task.hold : `${task.hold} ${time}`, conversation);
  }
  return texts;
}

/** `STATUS BODY`, `refused` or `timeout`. */
function httpGet(host: string, port: number, timeout: number): Promise<string> {
  return new Promise((resolve) => {
    const request = get({ host, port, timeout, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => resolve(`${response.statusCode} ${Buffer.concat(chunks).toString()}`));
    });
    request.on('timeout', () => request.destroy(new Error('timeout')));
    request.on('error', (error) => resolve('code' in error && error.code === 'ECONNREFUSED' ? 'refused' : 'timeout'));
  });
}
