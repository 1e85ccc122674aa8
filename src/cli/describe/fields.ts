import { alignFields, alignRows } from '../objects/columns.ts';

/** What stands behind a name in `describe`: a text, several lines, a table, or further fields below it. */
export type FieldValue = string | number | readonly string[] | Table | Fields;

/** A table inside a description. */
export interface Table {
  readonly heading: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** Named values in the order in which they are shown; an undefined value is left out. */
export type Fields = readonly (readonly [string, FieldValue | undefined])[];

/** A description as text. Values of one block are lined up; nested blocks and tables are indented by two. */
export function renderFields(fields: Fields, indent = ''): string {
  return `${fieldLines(fields, indent).join('\n')}\n`;
}

function fieldLines(fields: Fields, indent: string): string[] {
  const plain = fields.flatMap(([name, value]) => {
    const text = value === undefined ? undefined : plainText(value);
    return text === undefined ? [] : [[name, text] as const];
  });
  const width = Math.max(0, ...plain.map(([name]) => name.length));
  return fields.flatMap(([name, value]) => {
    if (value === undefined) return [];
    const text = plainText(value);
    if (text !== undefined) return alignFields([[name, text]], indent, width);
    const inner = `${indent}  `;
    return [`${indent}${name}:`, ...(isTable(value) ? tableLines(value, inner) : fieldLines(nested(value), inner))];
  });
}

function plainText(value: FieldValue): string | undefined {
  if (typeof value === 'string' || typeof value === 'number') return String(value) === '' ? '<none>' : String(value);
  if (isTable(value)) return value.rows.length === 0 ? '<none>' : undefined;
  if (value.length === 0) return '<none>';
  return isLines(value) ? value.join('\n') : undefined;
}

function isTable(value: FieldValue): value is Table {
  return typeof value === 'object' && 'heading' in value;
}

function isLines(value: readonly string[] | Fields): value is readonly string[] {
  return typeof value[0] === 'string';
}

function nested(value: FieldValue): Fields {
  if (typeof value !== 'object' || isTable(value) || isLines(value)) return [];
  return value;
}

function tableLines({ heading, rows }: Table, indent: string): string[] {
  const underline = heading.map((name) => '-'.repeat(name.length));
  return alignRows([heading, underline, ...rows]).map((line) => `${indent}${line}`.trimEnd());
}
