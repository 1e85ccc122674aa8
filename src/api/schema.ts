import type { ApiObject } from './meta/object-meta.ts';
import type { StatusCause } from './meta/status.ts';

/**
 * The schema language: kinds are data.
 *
 * A message lists its fields; a field says its JSON name, protobuf number, type and the rules that clients may rely on.
 * Types (`Infer`), decoding, the protobuf codec, defaults, OpenAPI, discovery, tables, patches and server-side apply are
 * all read from here. Field numbers and rules: the public API definitions of Kubernetes 1.36.
 */

/** The TypeScript (and JSON) form of every scalar. */
export interface ScalarTypes {
  readonly string: string;
  readonly int32: number;
  readonly int64: number;
  readonly double: number;
  readonly bool: boolean;
  /** Base64 text in JSON. */
  readonly bytes: string;
  /** Canonical text such as `100m` or `1Gi`. */
  readonly quantity: string;
  readonly intOrString: number | string;
  /** RFC 3339 with seconds. */
  readonly time: string;
  /** RFC 3339 with microseconds. */
  readonly microTime: string;
  /** Any JSON object, kept as it is. */
  readonly rawExtension: Readonly<Record<string, unknown>>;
  /** A set of field paths (managed fields). */
  readonly fieldsV1: Readonly<Record<string, unknown>>;
  /** A list of strings that protobuf wraps in a message (`items = 1`), so that it can be a map's value. */
  readonly strings: readonly string[];
}

/** The name of a scalar type. */
export type ScalarName = keyof ScalarTypes;

declare const typed: unique symbol;
declare const relied: unique symbol;

/** The type of a field's value. */
export type FieldType =
  | { readonly type: ScalarName }
  | { readonly type: 'object'; readonly message: Message }
  | { readonly type: 'list'; readonly item: FieldType }
  | { readonly type: 'map'; readonly value: FieldType };

/** What may be said about a field beyond its number and type. */
export interface FieldRules {
  /** One or two sentences for `kubectl explain`. */
  readonly doc?: string;
  /** Always there in a valid object: not optional in the TypeScript type, listed as required in OpenAPI. */
  readonly required?: boolean;
  /** The server makes sure of it (an absent object becomes `{}`): not optional in the TypeScript type only. */
  readonly present?: boolean;
  /**
   * Absent and zero differ (a pointer in Go). Protobuf clients send the zero value of every other field, and the decoder
   * drops it. Objects are pointers unless this is `false`, scalars are not unless it is `true`.
   */
  readonly pointer?: boolean;
  /** Filled in when absent. */
  readonly default?: string | number | boolean;
  /** Every value that is allowed; narrows the TypeScript type. Checked by the kind's validation, not by decoding. */
  readonly values?: readonly string[];
  /** Strategic merge patch: the key that identifies an element. Absent: the list is replaced. */
  readonly mergeKey?: string;
  /** Strategic merge patch: how lists of scalars and objects merge when it is not the default. */
  readonly strategy?: 'merge' | 'retainKeys' | 'merge,retainKeys' | 'replace';
  /** Server-side apply: `atomic` (the default) has one owner; a `set` one per value; a `map` one per `mapKeys`. */
  readonly listType?: 'atomic' | 'set' | 'map';
  readonly mapKeys?: readonly string[];
  /** Server-side apply: `granular` (the default) has one owner per key. */
  readonly mapType?: 'atomic' | 'granular';
}

/** A field of a message. `T` is the value's type, `R` whether TypeScript may rely on it. */
export interface Field<T = unknown, R extends boolean = boolean> extends FieldRules {
  /** Protobuf field number; 0 when the field does not exist in protobuf (`apiVersion`, `kind`). */
  readonly number: number;
  /** Number of the embedded protobuf message that carries the field, when JSON has it inline. */
  readonly within?: number;
  readonly type: FieldType;
  readonly [typed]?: T;
  readonly [relied]?: R;
}

/** Fields by their JSON names. */
export type Fields = Readonly<Record<string, Field>>;

/** A named group of fields. */
export interface Message<T = unknown> {
  /** Package and name: `core.v1.ServicePort`. */
  readonly name: string;
  readonly doc: string | undefined;
  readonly fields: Fields;
  /** The same fields for look-up by untrusted names. */
  readonly byName: ReadonlyMap<string, Field>;
  /** The same fields by protobuf number, ascending; embedded messages as messages of their own. */
  readonly byNumber: ReadonlyMap<number, Slot>;
  /** The fields that defaulting has to look at: with a default, required, always present, or containing such. */
  readonly defaulted: readonly (readonly [name: string, field: Field])[];
  /** Server-side apply: the whole object has one owner. */
  readonly atomic: boolean;
  readonly [typed]?: T;
}

/** What a protobuf field number stands for. */
export type Slot = { readonly name: string; readonly field: Field } | { readonly inline: Message };

type Simplify<T> = { [K in keyof T]: T[K] };
type ValueOf<F> = F extends Field<infer T> ? T : never;
type RequiredNames<F> = {
  [K in keyof F]: F[K] extends Field<unknown, infer R> ? ([R] extends [true] ? K : never) : never;
}[keyof F];

/** The readonly TypeScript type of a table of fields. */
export type InferFields<F> = Simplify<
  { readonly [K in RequiredNames<F>]: ValueOf<F[K]> } & {
    readonly [K in Exclude<keyof F, RequiredNames<F>>]?: ValueOf<F[K]>;
  }
>;

/** The readonly TypeScript type of a message or kind. */
export type Infer<M> = M extends { readonly [typed]?: infer T } ? Exclude<T, undefined> : never;

/** What can be done with a resource. */
export type Verb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete' | 'deletecollection';

/** A printer column. `priority` 1 columns show with `-o wide`. */
export interface Column<T> {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'date' | 'boolean';
  readonly format?: 'name';
  readonly doc?: string;
  readonly priority?: 0 | 1;
  /** Pure. `now` is in milliseconds since the epoch. */
  cell(object: T, now: number): string | number | boolean;
}

/** The text that a field selector compares. Declared as a method so that a kind is usable as `Kind<ApiObject>`. */
export type FieldGetter<T> = { get(object: T): string }['get'];

/** Names a kind. The core group is ''. */
export interface GroupVersionKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

/** A part of an object with a URL of its own. */
export interface Subresource {
  readonly name: string;
  readonly verbs: readonly Verb[];
  /** What it reads and writes, when that is not the kind itself. */
  readonly kind?: GroupVersionKind;
}

/** What validation depends on besides the object. */
export interface ValidationContext {
  /** Accept loopback addresses for endpoints, Pods and CIDRs (running without root). */
  readonly allowLoopback?: boolean;
  /** Set when only a subresource is written. */
  readonly subresource?: string;
}

/** The outcome of validation: valid when `causes` is empty. Warnings go to the client either way. */
export interface Checked {
  readonly causes: readonly StatusCause[];
  readonly warnings: readonly string[];
}

/** What a kind does beyond its fields. All functions are pure; results may share structure with arguments. */
export interface KindBehaviour<T> {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  /** Resource name in URLs. */
  readonly plural: string;
  readonly singular?: string;
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
  readonly namespaced: boolean;
  readonly verbs?: readonly Verb[];
  readonly subresources?: readonly Subresource[];
  readonly columns?: readonly Column<T>[];
  /** Field selectors beyond `metadata.name` and `metadata.namespace`. */
  readonly selectableFields?: Readonly<Record<string, FieldGetter<T>>>;
  /** Does the server keep `metadata.generation`? */
  readonly hasGeneration?: boolean;
  /** Does a new object keep the status it comes with? */
  readonly createsWithStatus?: boolean;
  /** May PUT create the object? */
  readonly createOnUpdate?: boolean;
  /** The kind under whose key and form objects are stored, when it is another one (`toStored`, `fromStored`). */
  readonly storedAs?: GroupVersionKind;
  toStored?(object: T): ApiObject;
  fromStored?(stored: ApiObject): T;
  /** Server-side apply must not own these paths on the main resource (besides `status`). */
  readonly resetFields?: readonly string[];
  /** Rules for `metadata.name`: messages, empty when it is fine. `prefix` is true for `generateName`. */
  validateName?(name: string, prefix: boolean): readonly string[];
  /** Fills in what depends on more than one field; plain defaults are in the fields. */
  setDefaults?(object: T): T;
  /** The whole object before it is stored, without metadata rules (`validate.ts` adds them). */
  validate?(object: T, context: ValidationContext): Checked;
  /** Rules about the change itself. Called after `validate`. */
  validateUpdate?(object: T, old: T, context: ValidationContext): Checked;
  /** Called before `validateUpdate` on a new object; ordinary kinds lose their status. */
  prepareForCreate?(object: T): T;
  /** Called with what the client sent; carries over what it may not change silently. Status is already the old one. */
  prepareForUpdate?(object: T, old: T): T;
}

/** A kind: its message, behaviour and everything derived from them. */
export interface Kind<T = ApiObject> extends KindBehaviour<T> {
  /** `v1` or `apps/v1`. */
  readonly apiVersion: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly verbs: readonly Verb[];
  readonly subresources: readonly Subresource[];
  readonly columns: readonly Column<T>[];
  readonly selectableFields: Readonly<Record<string, FieldGetter<T>>>;
  readonly hasGeneration: boolean;
  readonly hasStatus: boolean;
  readonly createOnUpdate: boolean;
  readonly message: Message<T>;
  readonly [typed]?: T;
}
