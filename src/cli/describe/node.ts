import type { Node } from '../../api/core/node.ts';
import type { Pod } from '../../api/core/pod.ts';
import type { AnyObject } from '../objects/rest.ts';
import { ageOf, conditionTable, identity } from './common.ts';
import type { Fields } from './fields.ts';

/** A Node: its health, its addresses and ranges, and the Pods on it. */
export function describeNode(node: AnyObject & Node, pods: readonly Pod[], nowMs: number): Fields {
  const { spec, status } = node;
  const { kubeletVersion, kernelVersion, osImage, architecture } = status?.nodeInfo ?? {};
  return [
    ...identity(node),
    ['Unschedulable', spec?.unschedulable ? 'True' : undefined],
    ['Taints', (spec?.taints ?? []).map(({ key, value, effect }) => `${key}${value ? `=${value}` : ''}:${effect}`)],
    ['Pod ranges', spec?.podCIDRs ?? []],
    ['Addresses', (status?.addresses ?? []).map(({ type, address }) => [type, address] as const)],
    ['Capacity', Object.entries(status?.capacity ?? {})],
    [
      'System',
      [
        ['Version', kubeletVersion],
        ['Kernel', kernelVersion],
        ['OS', osImage],
        ['Architecture', architecture],
      ],
    ],
    ['Conditions', conditionTable(status?.conditions, nowMs)],
    [
      'Pods',
      {
        heading: ['Namespace', 'Name', 'Phase', 'Address', 'Age'],
        rows: pods.map(({ metadata, status }) => [
          metadata.namespace ?? '',
          metadata.name ?? '',
          status?.phase ?? '',
          status?.podIP ?? '<none>',
          ageOf(metadata.creationTimestamp, nowMs),
        ]),
      },
    ],
  ];
}
