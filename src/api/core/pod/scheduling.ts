import { int32, int64, list, message, object, string } from '../../declare.ts';
import { LabelSelector } from '../../meta/label-selector.ts';
import type { Infer } from '../../schema.ts';

/** Where Pods like to run. Kept as data: Fairlead places by node selector only. */

export const NodeSelectorRequirement = message(
  'core.v1.NodeSelectorRequirement',
  {
    key: string(1, { required: true }),
    operator: string(2, { required: true, values: ['In', 'NotIn', 'Exists', 'DoesNotExist', 'Gt', 'Lt'] }),
    values: list(3, 'string'),
  },
  { doc: 'One condition on a node.' },
);
export type NodeSelectorRequirement = Infer<typeof NodeSelectorRequirement>;

export const NodeSelectorTerm = message(
  'core.v1.NodeSelectorTerm',
  {
    matchExpressions: list(1, NodeSelectorRequirement),
    matchFields: list(2, NodeSelectorRequirement),
  },
  { doc: 'Conditions on a node that all have to hold.', atomic: true },
);
export type NodeSelectorTerm = Infer<typeof NodeSelectorTerm>;

export const NodeSelector = message(
  'core.v1.NodeSelector',
  {
    nodeSelectorTerms: list(1, NodeSelectorTerm, { required: true }),
  },
  { doc: 'Nodes that match one of several terms.', atomic: true },
);
export type NodeSelector = Infer<typeof NodeSelector>;

export const PreferredSchedulingTerm = message(
  'core.v1.PreferredSchedulingTerm',
  {
    weight: int32(1, { required: true }),
    preference: object(2, NodeSelectorTerm, { required: true, pointer: false }),
  },
  { doc: 'Conditions on a node with their weight.' },
);
export type PreferredSchedulingTerm = Infer<typeof PreferredSchedulingTerm>;

export const NodeAffinity = message(
  'core.v1.NodeAffinity',
  {
    requiredDuringSchedulingIgnoredDuringExecution: object(1, NodeSelector),
    preferredDuringSchedulingIgnoredDuringExecution: list(2, PreferredSchedulingTerm),
  },
  { doc: 'Which nodes a Pod likes.' },
);
export type NodeAffinity = Infer<typeof NodeAffinity>;

export const PodAffinityTerm = message(
  'core.v1.PodAffinityTerm',
  {
    labelSelector: object(1, LabelSelector),
    namespaces: list(2, 'string'),
    topologyKey: string(3, { required: true }),
    namespaceSelector: object(4, LabelSelector),
    matchLabelKeys: list(5, 'string'),
    mismatchLabelKeys: list(6, 'string'),
  },
  { doc: 'Which Pods, and what counts as near.' },
);
export type PodAffinityTerm = Infer<typeof PodAffinityTerm>;

export const WeightedPodAffinityTerm = message(
  'core.v1.WeightedPodAffinityTerm',
  {
    weight: int32(1, { required: true }),
    podAffinityTerm: object(2, PodAffinityTerm, { required: true, pointer: false }),
  },
  { doc: 'Which Pods, with their weight.' },
);
export type WeightedPodAffinityTerm = Infer<typeof WeightedPodAffinityTerm>;

export const PodAffinity = message(
  'core.v1.PodAffinity',
  {
    requiredDuringSchedulingIgnoredDuringExecution: list(1, PodAffinityTerm),
    preferredDuringSchedulingIgnoredDuringExecution: list(2, WeightedPodAffinityTerm),
  },
  { doc: 'Which Pods a Pod likes to be near.' },
);
export type PodAffinity = Infer<typeof PodAffinity>;

export const PodAntiAffinity = message(
  'core.v1.PodAntiAffinity',
  {
    requiredDuringSchedulingIgnoredDuringExecution: list(1, PodAffinityTerm),
    preferredDuringSchedulingIgnoredDuringExecution: list(2, WeightedPodAffinityTerm),
  },
  { doc: 'Which Pods a Pod wants to be away from.' },
);
export type PodAntiAffinity = Infer<typeof PodAntiAffinity>;

export const Affinity = message(
  'core.v1.Affinity',
  {
    nodeAffinity: object(1, NodeAffinity),
    podAffinity: object(2, PodAffinity),
    podAntiAffinity: object(3, PodAntiAffinity),
  },
  { doc: 'Which nodes and neighbours a Pod likes.' },
);
export type Affinity = Infer<typeof Affinity>;

export const Toleration = message(
  'core.v1.Toleration',
  {
    key: string(1, { doc: 'The key of the taint; all keys when empty.' }),
    operator: string(2, {
      doc: '`Equal` compares the value, `Exists` does not.',
      values: ['Exists', 'Equal', 'Lt', 'Gt'],
    }),
    value: string(3, { doc: 'The value.' }),
    effect: string(4, {
      doc: 'The effect; all effects when empty.',
      values: ['NoSchedule', 'PreferNoSchedule', 'NoExecute'],
    }),
    tolerationSeconds: int64(5, { doc: 'For how long, for `NoExecute`.', pointer: true }),
  },
  { doc: 'A taint that is put up with.' },
);
export type Toleration = Infer<typeof Toleration>;

export const TopologySpreadConstraint = message(
  'core.v1.TopologySpreadConstraint',
  {
    maxSkew: int32(1, { required: true }),
    topologyKey: string(2, { required: true }),
    whenUnsatisfiable: string(3, { required: true, values: ['DoNotSchedule', 'ScheduleAnyway'] }),
    labelSelector: object(4, LabelSelector),
    minDomains: int32(5, { pointer: true }),
    nodeAffinityPolicy: string(6, { pointer: true, values: ['Ignore', 'Honor'] }),
    nodeTaintsPolicy: string(7, { pointer: true, values: ['Ignore', 'Honor'] }),
    matchLabelKeys: list(8, 'string'),
  },
  { doc: 'How evenly Pods are spread over a part of the cluster.' },
);
export type TopologySpreadConstraint = Infer<typeof TopologySpreadConstraint>;
