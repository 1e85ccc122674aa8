import { badRequest, internal, notFound } from '../api/errors.ts';
import { Pod } from '../api/core/pod.ts';
import { attachTo } from './attach.ts';
import { runCommand } from './exec.ts';
import { readLog } from './logs/reader.ts';
import { StartError } from './runtime/runtime.ts';
import type { ContainerRequest, PodRequest, ServerBackend } from './server/backend.ts';
import type { ContainerRunner } from './worker/container-runner.ts';
import type { PodWorker } from './worker/pod-worker.ts';
import type { Pods } from './worker/pods.ts';
import type { Surroundings } from './worker/surroundings.ts';

/** What the HTTPS server asks for, answered from the Pods of this node. */
export function createBackend(around: Surroundings, pods: () => Pods | undefined): ServerBackend {
  function worker({ namespace, pod, uid }: PodRequest): PodWorker {
    const found = pods()?.find(namespace, pod);
    if (found === undefined || (uid !== undefined && found.pod.metadata.uid !== uid)) throw notFound(Pod, pod);
    return found;
  }

  function runner(request: ContainerRequest): ContainerRunner {
    const { pod, runner: find } = worker(request);
    const names = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].map(({ name }) => name);
    if (!names.includes(request.container)) {
      throw badRequest(`container ${request.container} is not valid for pod ${request.pod}`);
    }
    const found = find(request.container);
    if (found === undefined || found.state.id === '') throw waitingToStart(request, found);
    return found;
  }

  function running(request: ContainerRequest): ContainerRunner {
    const found = runner(request);
    if (found.state.phase.state === 'running') return found;
    throw internal(`unable to upgrade connection: container not found ("${request.container}")`);
  }

  return {
    async logs(request) {
      const found = runner(request);
      const { attempt } = found.attempt;
      if (request.previous && attempt === 0) {
        throw badRequest(`previous terminated container "${request.container}" in pod "${request.pod}" not found`);
      }
      if (request.previous) {
        return readLog(around.layout.attempt({ ...found.attempt, attempt: attempt - 1 }), request, undefined);
      }
      return readLog(around.layout.attempt(found.attempt), request, found.growth);
    },
    async exec(request, streams) {
      try {
        return await runCommand(running(request), request.command, streams);
      } catch (error) {
        if (error instanceof StartError) throw internal(error.message);
        throw error;
      }
    },
    attach: async (request, streams) => attachTo(around, running(request), streams),
    async connectPort(request, port) {
      const { sandbox, pod } = worker(request);
      if (sandbox === undefined) throw badRequest(`pod ${pod.metadata.name} is not running`);
      return around.runtime.connect(sandbox.podUid, sandbox.ip, port);
    },
  };
}

function waitingToStart({ container, pod }: ContainerRequest, runner: ContainerRunner | undefined) {
  const phase = runner?.state.phase;
  const reason = (phase?.state === 'waiting' ? phase.reason : undefined) ?? 'ContainerCreating';
  return badRequest(`container "${container}" in pod "${pod}" is waiting to start: ${reason}`);
}
