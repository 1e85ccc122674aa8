import { Pod } from '../../api/core/pod.ts';
import type { Item } from '../cache/item.ts';
import { objectAs } from '../cache/item.ts';
import type { ResourceCache } from '../cache/resource-cache.ts';

/** How many Pods each node has. Counted once when first asked, then kept up to date from the changes. */
export function createPodCounts(pods: ResourceCache): (nodeName: string) => number {
  let counts: Map<string, number> | undefined;
  const add = (item: Item | undefined, by: number) => {
    const node = item && objectAs(Pod, item).spec?.nodeName;
    if (node && counts !== undefined) counts.set(node, (counts.get(node) ?? 0) + by);
  };
  return (nodeName) => {
    if (counts === undefined) {
      counts = new Map();
      for (const item of pods.items.range(pods.prefix)) add(item, 1);
      pods.subscribe((change) => {
        add(change.previous, -1);
        add(change.item, 1);
      });
    }
    return counts.get(nodeName) ?? 0;
  };
}
