import { list, message, object, string } from '../declare.ts';
import { FieldSelectorRequirement, LabelSelectorRequirement } from '../meta/label-selector.ts';
import type { Infer } from '../schema.ts';

/** What somebody wants to do. */

export const FieldSelectorAttributes = message(
  'authorization.v1.FieldSelectorAttributes',
  {
    rawSelector: string(1),
    requirements: list(2, FieldSelectorRequirement),
  },
  { doc: 'The field selector of a request.' },
);
export type FieldSelectorAttributes = Infer<typeof FieldSelectorAttributes>;

export const LabelSelectorAttributes = message(
  'authorization.v1.LabelSelectorAttributes',
  {
    rawSelector: string(1),
    requirements: list(2, LabelSelectorRequirement),
  },
  { doc: 'The label selector of a request.' },
);
export type LabelSelectorAttributes = Infer<typeof LabelSelectorAttributes>;

export const ResourceAttributes = message(
  'authorization.v1.ResourceAttributes',
  {
    namespace: string(1),
    verb: string(2),
    group: string(3),
    version: string(4),
    resource: string(5),
    subresource: string(6),
    name: string(7),
    fieldSelector: object(8, FieldSelectorAttributes),
    labelSelector: object(9, LabelSelectorAttributes),
  },
  { doc: 'A request for a resource.' },
);
export type ResourceAttributes = Infer<typeof ResourceAttributes>;

export const NonResourceAttributes = message(
  'authorization.v1.NonResourceAttributes',
  {
    path: string(1),
    verb: string(2),
  },
  { doc: 'A request for a path that is no resource.' },
);
export type NonResourceAttributes = Infer<typeof NonResourceAttributes>;
