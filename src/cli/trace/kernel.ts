import { aspectText, type Difference, differenceOf, withoutGrowth } from '../../proxy/differences.ts';
import type { TraceStep } from '../../proxy/trace.ts';
import type { Frontend } from '../../routing/frontend.ts';
import type { PlaneInForce } from '../proxy-view/plane-in-force.ts';

/** Compares a traced frontend with what the kernel has. */
export interface KernelCheck {
  readonly step: TraceStep;
  /** Undefined when it is in force exactly so. */
  readonly difference: Difference | undefined;
}

export function checkKernel(frontend: Frontend, plane: PlaneInForce, isStartingSlowly: boolean): KernelCheck {
  const found = plane.frontends.find(({ key }) => key === frontend.key);
  const difference = withoutGrowth(differenceOf(frontend, found), isStartingSlowly);
  const count = plane.counters.get(frontend.key)?.connections;
  const counted = count === undefined ? '' : `; ${count} ${count === 1 ? 'connection' : 'connections'} so far`;
  return { step: { title: 'kernel', detail: `${kernelText(difference, plane)}${counted}` }, difference };
}

function kernelText(difference: Difference | undefined, { name }: PlaneInForce): string {
  if (difference === undefined) return `in force exactly so (${name})`;
  if (difference.kind === 'missing') return `${difference.key} is not in force (${name})`;
  return difference.aspects.map(aspectText).join('\n');
}
