import { isDeepStrictEqual } from 'node:util';
import { formatLabels } from '../columns.ts';
import type { PodTemplateSpec } from '../core/pod/pod-template.ts';
import { checkPodSpec } from '../core/pod/pod-validation.ts';
import type { Issues } from '../issues.ts';
import type { LabelSelector } from '../meta/label-selector.ts';
import { labelValue, qualifiedName } from '../names.ts';
import type { Column } from '../schema.ts';
import { formatSelector, matchesLabels, selectorFromLabelSelector } from '../selector.ts';
import { checkAnnotations, checkLabels } from '../validate.ts';

/** What kinds that run Pods from a template share: rules and columns. */

const operators = ['In', 'NotIn', 'Exists', 'DoesNotExist'];

function checkExpressions(issues: Issues, path: string, selector: LabelSelector): void {
  for (const [index, { key, operator, values = [] }] of (selector.matchExpressions ?? []).entries()) {
    const where = `${path}.matchExpressions[${index}]`;
    issues.invalidAll(`${where}.key`, key, qualifiedName(key ?? ''));
    if (!operators.includes(operator)) issues.invalid(`${where}.operator`, operator, 'not a valid selector operator');
    const needsValues = operator === 'In' || operator === 'NotIn';
    if (needsValues && values.length === 0) {
      issues.required(`${where}.values`, "must be specified when `operator` is 'In' or 'NotIn'");
    }
    if (!needsValues && values.length > 0) {
      issues.forbidden(`${where}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
    }
    for (const [at, value] of values.entries()) {
      issues.invalidAll(`${where}.values[${at}]`, value, labelValue(value));
    }
  }
}

function isEmpty(selector: LabelSelector): boolean {
  return Object.keys(selector.matchLabels ?? {}).length + (selector.matchExpressions ?? []).length === 0;
}

/** The rules of a selector that has to select something. `owner` names the kind in messages. */
export function checkSelector(issues: Issues, selector: LabelSelector | undefined, owner: string): void {
  if (selector === undefined) return issues.required('spec.selector');
  checkLabels(issues, 'spec.selector.matchLabels', selector.matchLabels);
  checkExpressions(issues, 'spec.selector', selector);
  if (isEmpty(selector)) issues.invalid('spec.selector', selector, `empty selector is invalid for ${owner}`);
}

/** The rules of a template whose Pods the selector has to find, and which run for ever. */
export function checkTemplate(
  issues: Issues,
  template: PodTemplateSpec | undefined,
  selector: LabelSelector | undefined,
): void {
  if (template === undefined) return issues.required('spec.template');
  const { labels, annotations } = template.metadata ?? {};
  const isSelectorSound = selector !== undefined && !isEmpty(selector) && issues.count === 0;
  if (isSelectorSound && !matchesLabels(selectorFromLabelSelector(selector), labels)) {
    issues.invalid('spec.template.metadata.labels', labels ?? null, '`selector` does not match template `labels`');
  }
  checkLabels(issues, 'spec.template.labels', labels);
  checkAnnotations(issues, 'spec.template.annotations', annotations);
  const spec = template.spec ?? { containers: [] };
  checkPodSpec(issues, 'spec.template.spec', spec);
  if (spec.restartPolicy !== undefined && spec.restartPolicy !== 'Always') {
    issues.notSupported('spec.template.spec.restartPolicy', spec.restartPolicy, ['Always']);
  }
  if (spec.activeDeadlineSeconds !== undefined) {
    issues.forbidden(
      'spec.template.spec.activeDeadlineSeconds',
      'activeDeadlineSeconds in this workload is not supported',
    );
  }
}

/** The selector of a workload stays as it was made. */
export function checkSelectorChange(
  issues: Issues,
  selector: LabelSelector | undefined,
  old: LabelSelector | undefined,
): void {
  issues.immutable('spec.selector', selector, old, isDeepStrictEqual(selector, old));
}

interface Workload {
  readonly spec: { readonly template?: PodTemplateSpec };
}

function containersOf({ spec }: Workload): NonNullable<PodTemplateSpec['spec']>['containers'] {
  return spec.template?.spec?.containers ?? [];
}

/** Names of the containers and their images, for wide tables. */
export const containerColumns: readonly Column<Workload>[] = [
  {
    name: 'Containers',
    type: 'string',
    priority: 1,
    doc: 'Names of the containers in each Pod.',
    cell: (workload) =>
      containersOf(workload)
        .map((each) => each.name)
        .join(','),
  },
  {
    name: 'Images',
    type: 'string',
    priority: 1,
    doc: 'What the containers run.',
    cell: (workload) =>
      containersOf(workload)
        .map((each) => each.image ?? '')
        .join(','),
  },
];

/** A label selector as text, `<none>` when there is none. */
export function formatLabelSelector(selector: LabelSelector | undefined): string {
  if (selector === undefined) return '<none>';
  if ((selector.matchExpressions ?? []).length === 0) return formatLabels(selector.matchLabels);
  return formatSelector(selectorFromLabelSelector(selector) ?? []) || '<none>';
}
