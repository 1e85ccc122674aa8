import { defaultPodTemplate } from '../core/pod/pod-defaults.ts';
import { compact } from '../objects.ts';
import type { Deployment, DeploymentStrategy } from './deployment.ts';

const defaultShare = '25%';

function defaultStrategy(strategy: DeploymentStrategy): DeploymentStrategy {
  const type = strategy.type ?? 'RollingUpdate';
  if (type !== 'RollingUpdate') return { ...strategy, type };
  const { maxUnavailable = defaultShare, maxSurge = defaultShare } = strategy.rollingUpdate ?? {};
  return { type, rollingUpdate: { maxUnavailable, maxSurge } };
}

/** Fills in strategy and template. */
export function defaultDeployment(deployment: Deployment): Deployment {
  const { template, strategy = {} } = deployment.spec;
  const complete = template && defaultPodTemplate(template);
  const spec = compact({ ...deployment.spec, strategy: defaultStrategy(strategy), template: complete });
  return { ...deployment, spec };
}
