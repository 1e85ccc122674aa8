import type {
  Field,
  FieldRules,
  Fields,
  FieldType,
  InferFields,
  Kind,
  KindBehaviour,
  Message,
  ScalarName,
  ScalarTypes,
  Slot,
  Verb,
} from './schema.ts';

/** How kinds are written down: one function per field type, `message` and `kind`. */

type IsRequired<O> = O extends { readonly required: true } | { readonly present: true } ? true : false;
type TextOf<O> = O extends { readonly values: readonly (infer V extends string)[] } ? V : string;
type ElementOf<E> = E extends ScalarName ? ScalarTypes[E] : E extends Message<infer T> ? T : never;

function scalar<S extends ScalarName>(type: S) {
  return <const O extends FieldRules = {}>(number: number, rules?: O): Field<ScalarTypes[S], IsRequired<O>> => ({
    ...rules,
    number,
    type: { type },
  });
}

/** Text; with `values` a union of them. */
export function string<const O extends FieldRules = {}>(number: number, rules?: O): Field<TextOf<O>, IsRequired<O>> {
  return { ...rules, number, type: { type: 'string' } };
}
/** A 32-bit integer. */
export const int32 = scalar('int32');
/** A 64-bit integer; exact up to 2^53. */
export const int64 = scalar('int64');
/** True or false. */
export const bool = scalar('bool');
/** An amount: `100m`, `1Gi`. */
export const quantity = scalar('quantity');
/** A number or a name, such as a port. */
export const intOrString = scalar('intOrString');
/** A point in time, in seconds. */
export const time = scalar('time');
/** A point in time, in microseconds. */
export const microTime = scalar('microTime');
/** A set of field paths. */
export const fieldsV1 = scalar('fieldsV1');

/** A nested object. */
export function object<T, const O extends FieldRules = {}>(
  number: number,
  message: Message<T>,
  rules?: O,
): Field<T, IsRequired<O>> {
  return { pointer: true, ...rules, number, type: { type: 'object', message } };
}

function elementType(element: ScalarName | Message): FieldType {
  return typeof element === 'string' ? { type: element } : { type: 'object', message: element };
}

/** A list of scalars or objects. */
export function list<const E extends ScalarName | Message, const O extends FieldRules = {}>(
  number: number,
  item: E,
  rules?: O,
): Field<readonly (E extends 'string' ? TextOf<O> : ElementOf<E>)[], IsRequired<O>> {
  return { ...rules, number, type: { type: 'list', item: elementType(item) } };
}

/** A map from text to scalars or objects. */
export function map<const E extends ScalarName | Message, const O extends FieldRules = {}>(
  number: number,
  value: E,
  rules?: O,
): Field<Readonly<Record<string, ElementOf<E>>>, IsRequired<O>> {
  return { ...rules, number, type: { type: 'map', value: elementType(value) } };
}

/** The fields of `message`, inline in JSON and inside the embedded message `number` in protobuf. Spread it. */
export function inline<F extends Fields>(number: number, message: { readonly fields: F }): F {
  const entries = Object.entries(message.fields).map(([name, field]) => [name, { ...field, within: number }]);
  return Object.fromEntries(entries) as F;
}

/** What may be said about a message as a whole. */
export interface MessageRules {
  readonly doc?: string;
  readonly atomic?: boolean;
}

function slotsOf(name: string, entries: readonly (readonly [string, Field])[]): ReadonlyMap<number, Slot> {
  const slots = new Map<number, Slot>();
  for (const [fieldName, field] of entries.filter(([, each]) => each.number > 0)) {
    const { within } = field;
    if (within === undefined) slots.set(field.number, { name: fieldName, field });
    else if (!slots.has(within)) {
      const members = entries.filter(([, each]) => each.within === within);
      const fields = members.map(([key, each]) => [key, { ...each, within: undefined }] as const);
      slots.set(within, { inline: message(`${name}.${within}`, Object.fromEntries(fields)) });
    }
  }
  return new Map([...slots].sort(([a], [b]) => a - b));
}

function needsDefaults({ type, ...rules }: Field): boolean {
  if (rules.default !== undefined || rules.present === true) return true;
  if (rules.required === true && type.type !== 'object' && type.type !== 'map') return true;
  const inner = type.type === 'list' ? type.item : type.type === 'map' ? type.value : type;
  return inner.type === 'object' && inner.message.defaulted.length > 0;
}

/** Declares a message. `name` is package and name, such as `core.v1.ServicePort`. */
export function message<F extends Fields>(
  name: string,
  fields: F,
  rules: MessageRules = {},
): Message<InferFields<F>> & { readonly fields: F } {
  const entries = Object.entries(fields);
  return {
    name,
    doc: rules.doc,
    fields,
    byName: new Map(entries),
    byNumber: slotsOf(name, entries),
    defaulted: entries.filter(([, field]) => needsDefaults(field)),
    atomic: rules.atomic ?? false,
  };
}

/** The verbs of an ordinary stored kind. */
export const allVerbs: readonly Verb[] = [
  'create',
  'delete',
  'deletecollection',
  'get',
  'list',
  'patch',
  'update',
  'watch',
];

/** Declares a kind from its message and behaviour. */
export function kind<T>(message: Message<T>, behaviour: KindBehaviour<NoInfer<T>>): Kind<T> {
  const { group, version, subresources = [] } = behaviour;
  return {
    ...behaviour,
    message,
    apiVersion: group === '' ? version : `${group}/${version}`,
    singular: behaviour.singular ?? behaviour.kind.toLowerCase(),
    shortNames: behaviour.shortNames ?? [],
    categories: behaviour.categories ?? [],
    verbs: behaviour.verbs ?? allVerbs,
    subresources,
    columns: behaviour.columns ?? [],
    // Looked up by names that clients send: `constructor` must not be found.
    selectableFields: Object.assign(Object.create(null), behaviour.selectableFields),
    hasGeneration: behaviour.hasGeneration ?? false,
    hasStatus: subresources.some((each) => each.name === 'status'),
    createOnUpdate: behaviour.createOnUpdate ?? false,
  };
}
