import type { System } from './fairlead.ts';
import { waitFor } from './wait.ts';

/** A Pod as far as tests look at it. */
export interface PodView {
  readonly name: string;
  readonly ip: string;
  readonly isReady: boolean;
  readonly restarts: number;
  readonly phase: string;
}

interface PodJson {
  readonly metadata: { readonly name: string; readonly deletionTimestamp?: string };
  readonly status: {
    readonly phase?: string;
    readonly podIP?: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
    readonly containerStatuses?: readonly { readonly restartCount: number }[];
  };
}

/** The Pods that a label selector chooses, without those that are being deleted. */
export async function pods(system: System, selector: string): Promise<readonly PodView[]> {
  const list = JSON.parse(await system.kubectl(['get', 'pods', '-l', selector, '-o', 'json'])) as { items: PodJson[] };
  return list.items
    .filter((pod) => pod.metadata.deletionTimestamp === undefined)
    .map((pod) => ({
      name: pod.metadata.name,
      ip: pod.status.podIP ?? '',
      isReady: (pod.status.conditions ?? []).some(({ type, status }) => type === 'Ready' && status === 'True'),
      restarts: pod.status.containerStatuses?.[0]?.restartCount ?? 0,
      phase: pod.status.phase ?? '',
    }));
}

/** Waits until exactly `count` Pods exist and all of them are ready. */
export function readyPods(system: System, selector: string, count: number): Promise<readonly PodView[]> {
  return waitFor(
    async () => {
      const found = await pods(system, selector);
      return found.length === count && found.every((pod) => pod.isReady) && found;
    },
    { what: `${count} ready Pods of ${selector}`, timeoutMs: 30_000, everyMs: 50 },
  );
}

/** The cluster IP of a Service. */
export async function clusterIp(system: System, service: string): Promise<string> {
  return (await system.kubectl(['get', 'service', service, '-o', 'jsonpath={.spec.clusterIP}'])).trim();
}

/** The lines of `fairlead dig +short`-like output: only the data of the answer section. */
export async function lookUp(system: System, name: string, type: string): Promise<readonly string[]> {
  const output = await system.run(['dig', name, type, '--short']);
  return output.split('\n').filter((line) => line !== '');
}

/** Applies objects as a user with a file would. */
export async function applyObjects(system: System, items: readonly object[]): Promise<void> {
  const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
  await system.kubectl(['apply', '-f', '-'], { input });
}
