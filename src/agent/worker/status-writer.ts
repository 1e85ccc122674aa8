import { isConflict, isNotFound } from '../../api/errors.ts';
import { Pod } from '../../api/core/pod.ts';
import type { PodStatus } from '../../api/core/pod/pod-status.ts';
import { nameOf, namespaceOf } from '../../api/meta/object-meta.ts';
import { sleep } from '../../client/back-off.ts';
import type { Client } from '../../client/client.ts';
import { sameJson } from '../../lib/json.ts';
import type { Logger } from '../../observe/log.ts';
import type { AgentMetrics } from '../metrics.ts';

/** Something whose status is to be kept up to date in the API. */
export interface StatusSubject {
  /** The Pod as last seen. */
  readonly pod: Pod;
  /** Its status now, given the Pod as stored. */
  statusOf(pod: Pod): PodStatus;
  /** Called with the Pod as it is after a write, or as it was read after a conflict. */
  seen(pod: Pod): void;
}

/**
 * Writes Pod statuses: at once, one write of a Pod at a time, the newest status after it. Writes are compare-and-swap;
 * after a conflict the Pod is read and its status made anew. While the server is away it tries again and again.
 */
export interface StatusWriter {
  /** The status may have changed: writes it when it differs from the stored one. */
  changed(subject: StatusSubject): void;
  /** Resolves when nothing is left to write for a subject. */
  flushed(subject: StatusSubject): Promise<void>;
}

export function createStatusWriter(options: {
  readonly client: Client;
  readonly signal: AbortSignal;
  readonly logger: Logger;
  readonly metrics: AgentMetrics;
}): StatusWriter {
  const { client, signal, logger, metrics } = options;
  const running = new Map<StatusSubject, Promise<void>>();
  const dirty = new Set<StatusSubject>();

  async function work(subject: StatusSubject): Promise<void> {
    let failures = 0;
    while (dirty.delete(subject) && !signal.aborted) {
      try {
        await write(subject);
        failures = 0;
      } catch (error) {
        if (isNotFound(error)) return;
        metrics.statusWrites.inc({ result: isConflict(error) ? 'conflict' : 'error' });
        if (!isConflict(error)) {
          logger.warn('a Pod status could not be written', { pod: nameOf(subject.pod), error });
          await sleep(Math.min(100 * 2 ** failures++, 5000), signal);
        }
        // Another Pod of the same name is somebody else's.
        const current = await reread(subject);
        if (current === 'other') return;
        dirty.add(subject);
      }
    }
  }

  async function write(subject: StatusSubject): Promise<void> {
    const { pod } = subject;
    const status = subject.statusOf(pod);
    if (sameJson(pod.status, status)) return;
    const written = await client.update(
      Pod,
      { ...pod, status },
      { namespace: namespaceOf(pod), subresource: 'status', fieldManager: 'fairlead-agent' },
    );
    metrics.statusWrites.inc({ result: 'ok' });
    subject.seen(written);
  }

  async function reread(subject: StatusSubject): Promise<'same' | 'other'> {
    const { pod } = subject;
    try {
      const current = await client.get(Pod, nameOf(pod), { namespace: namespaceOf(pod) });
      if (current.metadata.uid !== pod.metadata.uid) return 'other';
      subject.seen(current);
      return 'same';
    } catch (error) {
      return isNotFound(error) ? 'other' : 'same';
    }
  }

  return {
    changed(subject) {
      dirty.add(subject);
      if (running.has(subject)) return;
      running.set(
        subject,
        work(subject)
          .catch((error: unknown) => logger.error('writing a Pod status failed', { error }))
          .finally(() => {
            running.delete(subject);
            if (dirty.has(subject) && !signal.aborted) this.changed(subject);
          }),
      );
    },
    flushed: (subject) => running.get(subject) ?? Promise.resolve(),
  };
}
