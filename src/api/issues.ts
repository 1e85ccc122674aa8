import type { StatusCause } from './meta/status.ts';
import type { Checked } from './schema.ts';

/** Collecting what is wrong with an object, in the words and with the reasons that the Kubernetes API uses. */

/** A value as messages show it: text quoted, numbers plain, the rest as JSON. */
function shown(value: unknown): string {
  return value === undefined ? 'null' : JSON.stringify(value);
}

/** The collector. Paths are as users write them: `spec.ports[0].port`. */
export class Issues {
  readonly #causes: StatusCause[] = [];
  readonly #warnings: string[] = [];

  /** How many causes there are so far. */
  get count(): number {
    return this.#causes.length;
  }

  #add(reason: string, field: string, message: string): void {
    this.#causes.push({ reason, message, field });
  }

  invalid(field: string, value: unknown, message: string): void {
    this.#add('FieldValueInvalid', field, `Invalid value: ${shown(value)}: ${message}`);
  }

  /** One `invalid` per message. */
  invalidAll(field: string, value: unknown, messages: readonly string[]): void {
    for (const message of messages) this.invalid(field, value, message);
  }

  required(field: string, message = ''): void {
    this.#add('FieldValueRequired', field, message === '' ? 'Required value' : `Required value: ${message}`);
  }

  notSupported(field: string, value: unknown, supported: readonly string[]): void {
    const list = [...supported].sort().map(shown).join(', ');
    this.#add('FieldValueNotSupported', field, `Unsupported value: ${shown(value)}: supported values: ${list}`);
  }

  duplicate(field: string, value: unknown): void {
    this.#add('FieldValueDuplicate', field, `Duplicate value: ${shown(value)}`);
  }

  forbidden(field: string, message: string): void {
    this.#add('FieldValueForbidden', field, `Forbidden: ${message}`);
  }

  notFound(field: string, value: unknown): void {
    this.#add('FieldValueNotFound', field, `Not found: ${shown(value)}`);
  }

  tooLong(field: string, limitBytes: number): void {
    this.#add('FieldValueTooLong', field, `Too long: may not be more than ${limitBytes} bytes`);
  }

  tooMany(field: string, count: number, limit: number): void {
    this.#add('FieldValueTooMany', field, `Too many: ${count}: must have at most ${limit} items`);
  }

  /** `notSupported` unless the value is undefined or one of them. */
  oneOf(field: string, value: string | undefined, supported: readonly string[]): void {
    if (value !== undefined && !supported.includes(value)) this.notSupported(field, value, supported);
  }

  /** Complains when a number that must not be negative is. */
  nonNegative(field: string, value: number | undefined): void {
    if (value !== undefined && value < 0) this.invalid(field, value, 'must be greater than or equal to 0');
  }

  /** Complains when the two values differ. */
  immutable(field: string, value: unknown, old: unknown, equal: boolean): void {
    if (!equal) this.invalid(field, value ?? old, 'field is immutable');
  }

  warn(message: string): void {
    this.#warnings.push(message);
  }

  result(): Checked {
    return { causes: this.#causes, warnings: this.#warnings };
  }
}

/** Several outcomes as one. */
export function combine(...checks: readonly (Checked | undefined)[]): Checked {
  return {
    causes: checks.flatMap((each) => each?.causes ?? []),
    warnings: checks.flatMap((each) => each?.warnings ?? []),
  };
}
