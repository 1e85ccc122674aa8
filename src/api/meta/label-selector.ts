import type { Infer } from '../schema.ts';
import { list, map, message, string } from '../schema.ts';

export const LabelSelectorRequirement = message('meta.v1.LabelSelectorRequirement', {
  key: string(1, { required: true }),
  operator: string(2, { required: true }),
  values: list(3, 'string'),
});
export type LabelSelectorRequirement = Infer<typeof LabelSelectorRequirement>;

export const LabelSelector = message(
  'meta.v1.LabelSelector',
  {
    matchLabels: map(1, 'string'),
    matchExpressions: list(2, LabelSelectorRequirement),
  },
  { atomic: true },
);
export type LabelSelector = Infer<typeof LabelSelector>;

export const FieldSelectorRequirement = message('meta.v1.FieldSelectorRequirement', {
  key: string(1, { required: true }),
  operator: string(2, { required: true }),
  values: list(3, 'string'),
});
export type FieldSelectorRequirement = Infer<typeof FieldSelectorRequirement>;
