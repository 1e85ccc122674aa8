import type { Transport } from '../../client/client.ts';
import type { CommandContext } from '../command.ts';
import { connectionOptions, namespaceOption } from '../connection.ts';
import type { Target } from './arguments.ts';
import { outputChoices } from './print.ts';
import type { Selection } from './read.ts';
import type { ResourceType } from './resource-types.ts';
import { selectionOptions } from './selection-options.ts';

/** The flags of `fairlead get`. */
export const getOptions = {
  ...namespaceOption,
  ...selectionOptions,
  output: { type: 'string', short: 'o', value: 'FORMAT', choices: outputChoices, summary: 'How to print' },
  watch: { type: 'boolean', short: 'w', summary: 'Stay and print every change' },
  'sort-by': { type: 'string', value: 'PATH', summary: 'Order by a field: .metadata.creationTimestamp' },
  'no-headers': { type: 'boolean', summary: 'Leave out the heading of tables' },
  'show-labels': { type: 'boolean', summary: 'Add a column with the labels' },
  'show-managed-fields': { type: 'boolean', summary: 'Keep metadata.managedFields in json and yaml' },
  'ignore-not-found': { type: 'boolean', summary: 'A missing object is no failure' },
  ...connectionOptions,
} as const;

/** The flags of `fairlead get`, as its parts read them. */
export type GetContext = CommandContext<typeof getOptions>;

/** What `fairlead get` was asked for. */
export interface GetRequest {
  readonly transport: Transport;
  readonly targets: readonly Target[];
  /** Undefined: every namespace. */
  readonly namespace: string | undefined;
  readonly context: GetContext;
}

/** The objects of one type that the flags select; `name` narrows it to one object. */
export function selectionOf({ namespace, context }: GetRequest, type: ResourceType, name?: string): Selection {
  const { selector: labelSelector, 'field-selector': fieldSelector } = context.options;
  if (name !== undefined) return { type, namespace, fieldSelector: `metadata.name=${name}` };
  return { type, namespace, labelSelector, fieldSelector };
}
