import type { Infer } from '../schema.ts';
import { bool, kind, list, message, object, string, time } from '../schema.ts';
import { NodeConfigSource, NodeStatus } from './node-status.ts';
import { metadata, typeMeta } from '../meta/object-meta.ts';

export const Taint = message('core.v1.Taint', {
  key: string(1, { required: true }),
  value: string(2),
  effect: string(3, { required: true, values: ['NoSchedule', 'PreferNoSchedule', 'NoExecute'] }),
  timeAdded: time(4, { pointer: true }),
});
export type Taint = Infer<typeof Taint>;

export const NodeSpec = message('core.v1.NodeSpec', {
  podCIDR: string(1),
  podCIDRs: list(7, 'string', { strategy: 'merge', listType: 'set' }),
  providerID: string(3),
  unschedulable: bool(4),
  taints: list(5, Taint),
  configSource: object(6, NodeConfigSource),
  externalID: string(2),
});
export type NodeSpec = Infer<typeof NodeSpec>;

export const NodeMessage = message('core.v1.Node', {
  ...typeMeta,
  metadata,
  spec: object(2, NodeSpec, { present: true, pointer: false }),
  status: object(3, NodeStatus, { pointer: false }),
});
export type Node = Infer<typeof NodeMessage>;

export const Node = kind(NodeMessage, {
  group: '',
  version: 'v1',
  kind: 'Node',
  plural: 'nodes',
  namespaced: false,
  shortNames: ['no'],
  subresources: [{ name: 'status', verbs: ['get', 'patch', 'update'] }],
});
