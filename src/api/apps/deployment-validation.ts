import { Issues } from '../issues.ts';
import type { Checked, ValidationContext } from '../schema.ts';
import type { Deployment, DeploymentSpec } from './deployment.ts';
import { checkSelector, checkSelectorChange, checkTemplate } from './workload.ts';

/** The rules of Deployments. Source: the apps API of Kubernetes 1.36. */

type Share = number | string | undefined;

function isNothing(share: Share): boolean {
  return share === 0 || share === '0%';
}

function checkShare(issues: Issues, path: string, share: Share): void {
  if (typeof share === 'number') return issues.nonNegative(path, share);
  if (share === undefined) return;
  if (!/^\d+%$/.test(share)) {
    issues.invalid(
      path,
      share,
      "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%', or '93%', regex used for validation is '[0-9]+%')",
    );
  }
}

function checkStrategy(issues: Issues, { strategy }: DeploymentSpec): void {
  const { type, rollingUpdate } = strategy ?? {};
  issues.oneOf('spec.strategy.type', type, ['Recreate', 'RollingUpdate']);
  if (type === 'Recreate') {
    const message = "may not be specified when strategy `type` is 'Recreate'";
    if (rollingUpdate !== undefined) issues.forbidden('spec.strategy.rollingUpdate', message);
    return;
  }
  const { maxUnavailable, maxSurge } = rollingUpdate ?? {};
  const path = 'spec.strategy.rollingUpdate';
  checkShare(issues, `${path}.maxUnavailable`, maxUnavailable);
  checkShare(issues, `${path}.maxSurge`, maxSurge);
  if (isNothing(maxUnavailable) && isNothing(maxSurge)) {
    issues.invalid(`${path}.maxUnavailable`, maxUnavailable, 'may not be 0 when `maxSurge` is 0');
  }
  if (typeof maxUnavailable === 'string' && Number.parseInt(maxUnavailable, 10) > 100) {
    issues.invalid(`${path}.maxUnavailable`, maxUnavailable, 'must not be greater than 100%');
  }
}

/** Is the Deployment fit to be stored? */
export function validateDeployment({ spec }: Deployment, { subresource }: ValidationContext): Checked {
  const issues = new Issues();
  if (subresource === 'status') return issues.result();
  issues.nonNegative('spec.replicas', spec.replicas);
  checkSelector(issues, spec.selector, 'deployment');
  checkTemplate(issues, spec.template, spec.selector);
  checkStrategy(issues, spec);
  const { minReadySeconds = 0, revisionHistoryLimit, progressDeadlineSeconds: deadline } = spec;
  issues.nonNegative('spec.minReadySeconds', minReadySeconds);
  issues.nonNegative('spec.revisionHistoryLimit', revisionHistoryLimit);
  issues.nonNegative('spec.progressDeadlineSeconds', deadline);
  if (deadline !== undefined && deadline <= minReadySeconds) {
    issues.invalid('spec.progressDeadlineSeconds', deadline, 'must be greater than minReadySeconds');
  }
  return issues.result();
}

/** The selector of a Deployment stays. */
export function validateDeploymentUpdate({ spec }: Deployment, old: Deployment): Checked {
  const issues = new Issues();
  checkSelectorChange(issues, spec.selector, old.spec.selector);
  return issues.result();
}
