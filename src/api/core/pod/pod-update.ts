import { isDeepStrictEqual } from 'node:util';
import { Issues } from '../../issues.ts';
import { omit } from '../../objects.ts';
import type { Checked, ValidationContext } from '../../schema.ts';
import type { Pod } from '../pod.ts';
import type { Container } from './container.ts';
import type { PodSpec } from './pod-spec.ts';

/** What may change about a Pod once it exists: little. */

const onlyThese =
  'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)';

function withoutImages(containers: readonly Container[] | undefined): readonly unknown[] {
  return (containers ?? []).map((container) => omit(container, 'image'));
}

/** The part of a Pod's wanted state that never changes. */
function fixedPart(spec: PodSpec): object {
  const { containers, initContainers } = spec;
  const rest = omit(
    spec,
    'containers',
    'initContainers',
    'activeDeadlineSeconds',
    'tolerations',
    'terminationGracePeriodSeconds',
    'schedulingGates',
  );
  return { ...rest, containers: withoutImages(containers), initContainers: withoutImages(initContainers) };
}

function changedFields(spec: PodSpec, old: PodSpec): readonly string[] {
  const names = new Set([...Object.keys(spec), ...Object.keys(old)]) as ReadonlySet<keyof PodSpec>;
  return [...names].filter((name) => !isDeepStrictEqual(spec[name], old[name])).map((name) => `spec.${name}`);
}

function checkDeadline(issues: Issues, spec: PodSpec, old: PodSpec): void {
  const path = 'spec.activeDeadlineSeconds';
  const { activeDeadlineSeconds: deadline } = spec;
  if (old.activeDeadlineSeconds === undefined) return;
  if (deadline === undefined) issues.invalid(path, null, 'must not update from a positive integer to nil value');
  else if (deadline > old.activeDeadlineSeconds) {
    issues.invalid(path, deadline, 'must be less than or equal to previous value');
  }
}

function checkContainerCounts(issues: Issues, spec: PodSpec, old: PodSpec): void {
  for (const name of ['containers', 'initContainers'] as const) {
    if ((spec[name] ?? []).length === (old[name] ?? []).length) continue;
    issues.forbidden(`spec.${name}`, 'pod updates may not add or remove containers');
  }
}

function checkTolerations(issues: Issues, spec: PodSpec, old: PodSpec): void {
  const now = spec.tolerations ?? [];
  const isKept = (old.tolerations ?? []).every((each) => now.some((other) => isDeepStrictEqual(each, other)));
  if (!isKept)
    issues.forbidden('spec.tolerations', 'existing toleration can not be modified except its tolerationSeconds');
}

function checkSpecChange(issues: Issues, spec: PodSpec, old: PodSpec): void {
  if (isDeepStrictEqual(spec, old)) return;
  checkContainerCounts(issues, spec, old);
  if (issues.count > 0) return;
  checkDeadline(issues, spec, old);
  checkTolerations(issues, spec, old);
  const isPlaced = old.nodeName === undefined && spec.nodeName !== undefined;
  const placed = isPlaced ? { nodeName: spec.nodeName } : {};
  const graceChanged = spec.terminationGracePeriodSeconds !== old.terminationGracePeriodSeconds;
  const isGraceAllowed = !graceChanged || (old.terminationGracePeriodSeconds ?? 0) < 0;
  const isFixedKept = isDeepStrictEqual(fixedPart(spec), fixedPart({ ...old, ...placed }));
  if (isFixedKept && isGraceAllowed) return;
  issues.forbidden('spec', `${onlyThese}\n(changed: ${changedFields(spec, old).join(', ')})`);
}

function checkEphemeralChange(issues: Issues, spec: PodSpec, old: PodSpec): void {
  const now = spec.ephemeralContainers ?? [];
  const before = old.ephemeralContainers ?? [];
  const isKept = before.every((each) => now.some((other) => isDeepStrictEqual(each, other)));
  if (!isKept) {
    issues.forbidden('spec.ephemeralContainers', 'existing ephemeral containers may not be changed or removed');
  }
  if (!isDeepStrictEqual(omit(spec, 'ephemeralContainers'), omit(old, 'ephemeralContainers'))) {
    issues.forbidden('spec', 'only `spec.ephemeralContainers` may be changed here');
  }
}

/** Is the change of the Pod allowed? */
export function validatePodUpdate(pod: Pod, old: Pod, context: ValidationContext): Checked {
  const issues = new Issues();
  if (context.subresource === 'ephemeralcontainers') checkEphemeralChange(issues, pod.spec, old.spec);
  else if (context.subresource === undefined) checkSpecChange(issues, pod.spec, old.spec);
  return issues.result();
}
