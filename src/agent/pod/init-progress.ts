import type { Pod } from '../../api/core/pod.ts';
import type { PodState } from './state.ts';
import { hasStarted, initContainersOf, isSidecar, stateOf } from './state.ts';

/** How many init containers, from the first, no longer hold the others back. All of them once a container has started. */
export function initializedCount(pod: Pod, state: PodState): number {
  const containers = initContainersOf(pod);
  if (pod.spec.containers.some(({ name }) => stateOf(state, name).id !== '')) return containers.length;
  const first = containers.findIndex((each) => {
    const current = stateOf(state, each.name);
    if (isSidecar(each)) return !hasStarted(each, current);
    return !(current.phase.state === 'exited' && current.phase.exit.code === 0);
  });
  return first < 0 ? containers.length : first;
}
