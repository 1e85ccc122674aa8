import { list, map, message, string } from '../declare.ts';
import type { Infer } from '../schema.ts';

/** Selectors by label as objects carry them. `selector.ts` evaluates them. */

export const LabelSelectorRequirement = message(
  'meta.v1.LabelSelectorRequirement',
  {
    key: string(1, { doc: 'The label.', required: true }),
    operator: string(2, { doc: '`In`, `NotIn`, `Exists` or `DoesNotExist`.', required: true }),
    values: list(3, 'string', { doc: 'What `In` and `NotIn` compare with.' }),
  },
  { doc: 'One condition on a label.' },
);
export type LabelSelectorRequirement = Infer<typeof LabelSelectorRequirement>;

export const LabelSelector = message(
  'meta.v1.LabelSelector',
  {
    matchLabels: map(1, 'string', { doc: 'Labels that must have exactly these values.' }),
    matchExpressions: list(2, LabelSelectorRequirement, { doc: 'Further conditions.' }),
  },
  {
    doc: 'Picks objects by their labels. All conditions have to hold; without any, it picks everything.',
    atomic: true,
  },
);
export type LabelSelector = Infer<typeof LabelSelector>;

export const FieldSelectorRequirement = message(
  'meta.v1.FieldSelectorRequirement',
  {
    key: string(1, { required: true }),
    operator: string(2, { required: true }),
    values: list(3, 'string'),
  },
  { doc: 'One condition on a field.' },
);
export type FieldSelectorRequirement = Infer<typeof FieldSelectorRequirement>;
