import type { OptionTable } from '../command.ts';

/** The flags that choose among objects. */
export const selectionOptions = {
  'all-namespaces': { type: 'boolean', short: 'A', summary: 'Every namespace' },
  selector: {
    type: 'string',
    short: 'l',
    value: 'LABELS',
    summary: 'Only objects with these labels: app=web,tier!=db',
  },
  'field-selector': {
    type: 'string',
    value: 'FIELDS',
    summary: 'Only objects with these fields: status.phase=Running',
  },
} as const satisfies OptionTable;
