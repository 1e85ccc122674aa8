import { isDeepStrictEqual } from 'node:util';
import { cidr } from '../addresses.ts';
import { bool, kind, list, message, object, string, time } from '../declare.ts';
import { Issues } from '../issues.ts';
import { metadata, typeMeta } from '../meta/object-meta.ts';
import { labelValue, qualifiedName } from '../names.ts';
import type { Checked, Infer } from '../schema.ts';
import { statusSubresource } from '../subresources.ts';
import { nodeColumns } from './node-columns.ts';
import { NodeConfigSource, NodeStatus } from './node-status.ts';

/** Nodes: the machines that run Pods. */

export const Taint = message(
  'core.v1.Taint',
  {
    key: string(1, { doc: 'Its key.', required: true }),
    value: string(2, { doc: 'Its value.' }),
    effect: string(3, {
      doc: '`NoSchedule`, `PreferNoSchedule` or `NoExecute`.',
      required: true,
      values: ['NoSchedule', 'PreferNoSchedule', 'NoExecute'],
    }),
    timeAdded: time(4, { doc: 'When it was added.', pointer: true }),
  },
  { doc: 'Keeps Pods away that do not tolerate it.' },
);
export type Taint = Infer<typeof Taint>;

export const NodeSpec = message(
  'core.v1.NodeSpec',
  {
    podCIDR: string(1, { doc: 'The range its Pods get addresses from.' }),
    podCIDRs: list(7, 'string', { doc: 'The ranges, one per IP family.', strategy: 'merge', listType: 'set' }),
    providerID: string(3, { doc: 'Its id at its provider.' }),
    unschedulable: bool(4, { doc: 'No new Pods.' }),
    taints: list(5, Taint, { doc: 'What Pods have to tolerate to run here.' }),
    configSource: object(6, NodeConfigSource, { doc: 'No longer used.' }),
    externalID: string(2, { doc: 'No longer used.' }),
  },
  { doc: 'How a node is used.' },
);
export type NodeSpec = Infer<typeof NodeSpec>;

export const NodeMessage = message(
  'core.v1.Node',
  {
    ...typeMeta,
    metadata,
    spec: object(2, NodeSpec, { present: true, doc: 'What the author wants.', pointer: false }),
    status: object(3, NodeStatus, {
      doc: 'What the system observed. Written by controllers, never by authors.',
      pointer: false,
    }),
  },
  { doc: 'A machine that runs Pods.' },
);
export type Node = Infer<typeof NodeMessage>;

/** Everything that a node has is there for Pods, unless it says otherwise. */
function defaultAllocatable(node: Node): Node {
  const { status } = node;
  if (status?.capacity === undefined || status.allocatable !== undefined) return node;
  return { ...node, status: { ...status, allocatable: status.capacity } };
}

function checkTaints(issues: Issues, taints: readonly Taint[]): void {
  const seen = new Set<string>();
  for (const [index, { key, value = '', effect }] of taints.entries()) {
    const path = `spec.taints[${index}]`;
    issues.invalidAll(`${path}.key`, key, qualifiedName(key ?? ''));
    issues.invalidAll(`${path}.value`, value, labelValue(value));
    if (effect === undefined) issues.required(`${path}.effect`);
    else issues.oneOf(`${path}.effect`, effect, ['NoSchedule', 'PreferNoSchedule', 'NoExecute']);
    if (seen.has(`${key}:${effect}`)) issues.duplicate(path, { key, effect });
    seen.add(`${key}:${effect}`);
  }
}

function validateNode({ spec }: Node): Checked {
  const issues = new Issues();
  checkTaints(issues, spec.taints ?? []);
  for (const [index, range] of (spec.podCIDRs ?? []).entries()) {
    issues.invalidAll(`spec.podCIDRs[${index}]`, range, cidr(range));
  }
  return issues.result();
}

/** The Pod ranges of a node stay once they are set. */
function validateNodeUpdate({ spec }: Node, old: Node): Checked {
  const issues = new Issues();
  const before = old.spec.podCIDRs ?? [];
  if (before.length > 0 && !isDeepStrictEqual(spec.podCIDRs ?? [], before)) {
    issues.forbidden('spec.podCIDRs', 'node updates may not change podCIDR except from "" to valid');
  }
  return issues.result();
}

export const Node = kind(NodeMessage, {
  group: '',
  version: 'v1',
  kind: 'Node',
  plural: 'nodes',
  namespaced: false,
  shortNames: ['no'],
  subresources: [statusSubresource],
  createsWithStatus: true,
  columns: nodeColumns,
  selectableFields: { 'spec.unschedulable': ({ spec }) => String(spec.unschedulable ?? false) },
  setDefaults: defaultAllocatable,
  validate: validateNode,
  validateUpdate: validateNodeUpdate,
});
