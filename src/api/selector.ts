import { badRequest } from './errors.ts';
import type { LabelSelector, LabelSelectorRequirement } from './meta/label-selector.ts';

/**
 * Label selectors (`app=web,tier in (a,b),!x`) and field selectors (`spec.nodeName=n1,status.phase!=Failed`).
 */

/** One condition of a label selector. `values` is empty for `exists` and `absent`. */
export interface LabelRequirement {
  readonly key: string;
  readonly operator: 'in' | 'notIn' | 'exists' | 'absent' | 'greater' | 'less';
  readonly values: readonly string[];
}

/** All conditions must hold; without any, everything matches. `undefined` as a selector matches nothing. */
export type Selector = readonly LabelRequirement[];

/** Labels of an object. */
export type Labels = Readonly<Record<string, string>>;

/** One condition of a field selector. */
export interface FieldRequirement {
  readonly field: string;
  readonly value: string;
  readonly equal: boolean;
}

const token = /\s*(\(|\)|,|==|!=|=|!|<|>|[^\s(),=!<>]+)/y;

function tokenize(text: string): readonly string[] {
  const tokens: string[] = [];
  token.lastIndex = 0;
  while (token.lastIndex < text.length) {
    const match = token.exec(text);
    if (match?.[1] === undefined) break;
    tokens.push(match[1]);
  }
  return tokens;
}

const labelName = /^(?:[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?\/)?[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const labelValue = /^(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/;

class SelectorParser {
  readonly #text: string;
  readonly #tokens: readonly string[];
  #position = 0;

  constructor(text: string) {
    this.#text = text;
    this.#tokens = tokenize(text);
  }

  parse(): Selector {
    const requirements: LabelRequirement[] = [];
    while (this.#peek() !== undefined) {
      requirements.push(this.#requirement());
      if (this.#peek() === undefined) break;
      this.#expect(',');
      if (this.#peek() === undefined) throw this.#error("found '', expected: identifier after ','");
    }
    return requirements;
  }

  #peek(): string | undefined {
    return this.#tokens[this.#position];
  }

  #next(): string {
    return this.#tokens[this.#position++] ?? '';
  }

  #expect(wanted: string): void {
    const found = this.#next();
    if (found !== wanted) throw this.#error(`found '${found}', expected: '${wanted}'`);
  }

  #error(message: string): Error {
    return badRequest(`unable to parse requirement: ${message} (selector ${JSON.stringify(this.#text)})`);
  }

  #requirement(): LabelRequirement {
    if (this.#peek() === '!') {
      this.#next();
      return { key: this.#key(), operator: 'absent', values: [] };
    }
    const key = this.#key();
    const operator = this.#peek();
    if (operator === undefined || operator === ',') return { key, operator: 'exists', values: [] };
    return this.#comparison(key, this.#next());
  }

  #comparison(key: string, operator: string): LabelRequirement {
    switch (operator) {
      case '=':
      case '==':
        return { key, operator: 'in', values: [this.#optionalValue()] };
      case '!=':
        return { key, operator: 'notIn', values: [this.#optionalValue()] };
      case 'in':
        return { key, operator: 'in', values: this.#values() };
      case 'notin':
        return { key, operator: 'notIn', values: this.#values() };
      case '>':
      case '<':
        return { key, operator: operator === '>' ? 'greater' : 'less', values: [this.#integer()] };
      default:
        throw this.#error(`found '${operator}', expected: in, notin, =, ==, !=, gt, lt`);
    }
  }

  #key(): string {
    const key = this.#next();
    if (!labelName.test(key)) throw this.#error(`invalid label key ${JSON.stringify(key)}`);
    return key;
  }

  #optionalValue(): string {
    const found = this.#peek();
    return found === undefined || found === ',' ? '' : this.#value();
  }

  #value(): string {
    const value = this.#next();
    if (!labelValue.test(value)) throw this.#error(`invalid label value ${JSON.stringify(value)}`);
    return value;
  }

  #integer(): string {
    const value = this.#next();
    if (!/^-?\d+$/.test(value)) throw this.#error(`for 'Gt', 'Lt' operators, the value must be an integer`);
    return value;
  }

  #values(): readonly string[] {
    this.#expect('(');
    const values: string[] = [];
    for (;;) {
      const found = this.#peek();
      values.push(found === ',' || found === ')' ? '' : this.#value());
      const separator = this.#next();
      if (separator === ')') return values;
      if (separator !== ',') throw this.#error(`found '${separator}', expected: ',' or ')'`);
    }
  }
}

/** Parses the text form. Throws `ApiError` 400. */
export function parseLabelSelector(text: string): Selector {
  return new SelectorParser(text).parse();
}

function holds({ key, operator, values }: LabelRequirement, labels: Labels): boolean {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
  switch (operator) {
    case 'exists':
      return value !== undefined;
    case 'absent':
      return value === undefined;
    case 'in':
      return value !== undefined && values.includes(value);
    case 'notIn':
      return value === undefined || !values.includes(value);
    case 'greater':
      return value !== undefined && /^-?\d+$/.test(value) && BigInt(value) > BigInt(values[0] ?? '0');
    case 'less':
      return value !== undefined && /^-?\d+$/.test(value) && BigInt(value) < BigInt(values[0] ?? '0');
  }
}

/** Do the labels satisfy every condition? An undefined selector matches nothing. */
export function matchesLabels(selector: Selector | undefined, labels: Labels | undefined): boolean {
  if (selector === undefined) return false;
  return selector.every((requirement) => holds(requirement, labels ?? {}));
}

/** The selector of a plain map of labels, such as a Service's. Undefined or empty: matches nothing. */
export function selectorFromMap(labels: Labels | undefined): Selector | undefined {
  const entries = Object.entries(labels ?? {});
  if (entries.length === 0) return undefined;
  return entries.map(([key, value]) => ({ key, operator: 'in', values: [value] }));
}

const operators: ReadonlyMap<string, LabelRequirement['operator']> = new Map([
  ['In', 'in'],
  ['NotIn', 'notIn'],
  ['Exists', 'exists'],
  ['DoesNotExist', 'absent'],
]);

function fromExpression({ key, operator, values }: LabelSelectorRequirement): LabelRequirement {
  const known = operators.get(operator);
  if (known === undefined) throw badRequest(`${JSON.stringify(operator)} is not a valid label selector operator`);
  return { key, operator: known, values: values ?? [] };
}

/** The selector of a `LabelSelector`: an absent one matches nothing, an empty one everything. */
export function selectorFromLabelSelector(selector: LabelSelector | undefined): Selector | undefined {
  if (selector === undefined) return undefined;
  return [...(selectorFromMap(selector.matchLabels) ?? []), ...(selector.matchExpressions ?? []).map(fromExpression)];
}

function formatRequirement({ key, operator, values }: LabelRequirement): string {
  const set = `(${[...values].sort().join(',')})`;
  switch (operator) {
    case 'exists':
      return key;
    case 'absent':
      return `!${key}`;
    case 'in':
      return values.length === 1 ? `${key}=${values[0]}` : `${key} in ${set}`;
    case 'notIn':
      return values.length === 1 ? `${key}!=${values[0]}` : `${key} notin ${set}`;
    case 'greater':
      return `${key}>${values[0]}`;
    case 'less':
      return `${key}<${values[0]}`;
  }
}

/** The canonical text form, sorted by key. */
export function formatSelector(selector: Selector): string {
  return [...selector]
    .sort((a, b) => (a.key < b.key ? -1 : Number(a.key > b.key)))
    .map(formatRequirement)
    .join(',');
}

function splitUnescaped(text: string): readonly string[] {
  return text.match(/(?:\\.|[^\\,])+/g) ?? [];
}

function unescape(value: string): string {
  return value.replaceAll(/\\([\\,=])/g, '$1');
}

function fieldRequirement(term: string): FieldRequirement {
  const match = /^\s*([^=!\s][^=!]*?)\s*(==|!=|=)(.*)$/s.exec(term);
  if (match === null) throw badRequest(`invalid selector: '${term}'; can't understand '${term}'`);
  const [, field = '', operator, value = ''] = match;
  return { field, value: unescape(value), equal: operator !== '!=' };
}

/** Parses `field=value,field!=value`; `\,`, `\=` and `\\` stand for themselves. Throws `ApiError` 400. */
export function parseFieldSelector(text: string): readonly FieldRequirement[] {
  return splitUnescaped(text)
    .filter((term) => term.trim() !== '')
    .map(fieldRequirement);
}

/** Do the fields satisfy every condition? `get` answers the text of a field, '' when it is unset. */
export function matchesFields(requirements: readonly FieldRequirement[], get: (field: string) => string): boolean {
  return requirements.every(({ field, value, equal }) => (get(field) === value) === equal);
}
