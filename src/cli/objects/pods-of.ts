import type { Pod } from '../../api/core/pod.ts';
import type { Transport } from '../../client/client.ts';
import { CommandError, UsageError } from '../command-error.ts';
import { exitCodes } from '../exit-codes.ts';
import { readOneTarget } from './arguments.ts';
import { objectLabel } from './print.ts';
import { listObjects, readObject } from './read.ts';
import { findResourceType } from './resource-types.ts';
import type { ResourceType } from './resource-types.ts';
import type { AnyObject } from './rest.ts';

/** A Pod as the server sends it. */
export type PodObject = AnyObject & Pod;

/** Where and among what to look for Pods. */
export interface PodSearch {
  readonly transport: Transport;
  readonly types: readonly ResourceType[];
  readonly namespace: string;
  readonly signal: AbortSignal;
}

/** The Pods with these labels, in order of their names. */
export async function podsWithLabels(search: PodSearch, labelSelector: string): Promise<readonly PodObject[]> {
  const { transport, types, namespace, signal } = search;
  const selection = { type: findResourceType(types, 'pods'), namespace, labelSelector };
  return (await listObjects<PodObject>(transport, selection, signal)).items;
}

/**
 * The Pods behind `NAME`, `pod/NAME`, `deploy/NAME`, `svc/NAME` or anything else with a selector; a working one first.
 * Throws `CommandError` when there is none.
 */
export async function podsOf(
  search: PodSearch,
  args: readonly string[],
): Promise<readonly [PodObject, ...PodObject[]]> {
  const { transport, types, namespace, signal } = search;
  const { type, name } = readOneTarget(types, args, 'pods');
  if (type.kind === 'Pod') return [await readObject<PodObject>(transport, type, name, namespace, signal)];
  const owner = await readObject<AnyObject>(transport, type, name, namespace, signal);
  const selector = selectorOf(owner);
  if (selector === undefined) throw new UsageError(`a ${type.singular} has no Pods; name a Pod, Deployment or Service`);
  const [first, ...more] = (await podsWithLabels(search, selector)).toSorted((a, b) => rank(a) - rank(b));
  if (first !== undefined) return [first, ...more];
  throw new CommandError(`${objectLabel(type, name)} has no Pods (selector ${selector})`, {
    code: exitCodes.notFound,
    hint: `see why: fairlead describe ${objectLabel(type, name)}`,
  });
}

/** The label selector in an object's spec as text: a plain map (Service) or `matchLabels` with expressions. */
function selectorOf(owner: AnyObject): string | undefined {
  const spec = owner['spec'];
  const selector = isRecord(spec) ? spec['selector'] : undefined;
  if (!isRecord(selector)) return undefined;
  const expressions = Array.isArray(selector['matchExpressions']) ? selector['matchExpressions'] : [];
  const structured = 'matchLabels' in selector || 'matchExpressions' in selector;
  const labels = structured ? (isRecord(selector['matchLabels']) ? selector['matchLabels'] : {}) : selector;
  const terms = [
    ...Object.entries(labels).map(([name, value]) => `${name}=${value}`),
    ...expressions.map(expressionText),
  ];
  return terms.length === 0 ? undefined : terms.join(',');
}

function expressionText(expression: unknown): string {
  const { key, operator, values } = isRecord(expression) ? expression : {};
  if (operator === 'Exists') return String(key);
  if (operator === 'DoesNotExist') return `!${key}`;
  const list = Array.isArray(values) ? values.join(',') : '';
  return `${key} ${operator === 'NotIn' ? 'notin' : 'in'} (${list})`;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Running before waiting before ended; Pods on their way out last. */
function rank(pod: PodObject): number {
  if (pod.metadata.deletionTimestamp !== undefined) return 3;
  return ['Running', 'Pending'].indexOf(pod.status?.phase ?? '') + (pod.status?.phase === 'Running' ? 0 : 1);
}

/**
 * The container that a command means: the one named, else the Pod's default (annotation
 * `kubectl.kubernetes.io/default-container`), else the first. Throws `CommandError` when the Pod has none of that name.
 */
export function containerOf(pod: PodObject, wanted: string | undefined): string {
  const containers = [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])].map(({ name }) => name);
  const chosen = wanted ?? pod.metadata.annotations?.['kubectl.kubernetes.io/default-container'] ?? containers[0];
  if (chosen !== undefined && containers.includes(chosen)) return chosen;
  throw new CommandError(`pod ${pod.metadata.name} has no container "${chosen}"`, {
    code: exitCodes.notFound,
    hint: `it has: ${containers.join(', ')}`,
  });
}
