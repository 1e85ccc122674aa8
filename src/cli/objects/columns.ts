import { plainLine } from '../../lib/plain-line.ts';

/**
 * Lines up rows as kubectl does: every column as wide as its widest cell plus three spaces, at least six wide, the last
 * one not padded. Widths may be carried from one call to the next (a watch keeps its columns): `widths` is grown in place.
 */
export function alignRows(cells: readonly (readonly string[])[], widths: number[] = []): string[] {
  const rows = cells.map((row) => row.map(plainLine));
  for (const row of rows) {
    row.forEach((cell, i) => {
      widths[i] = Math.max(widths[i] ?? 3, cell.length);
    });
  }
  return rows.map((row) =>
    row.map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd((widths[i] ?? 0) + 3))).join(''),
  );
}

/**
 * `Name:   value` lines under each other; a value of several lines is indented below the first. `width` is that of the
 * longest name, when the lines stand among others.
 */
export function alignFields(fields: readonly (readonly [string, string])[], indent = '', width = 0): string[] {
  const column = Math.max(width, ...fields.map(([name]) => name.length)) + 3;
  return fields.flatMap(([name, value]) => {
    const [first = '', ...more] = value.split('\n').map(plainLine);
    const head = `${indent}${`${name}:`.padEnd(column)}${first}`.trimEnd();
    return [head, ...more.map((line) => `${indent}${' '.repeat(column)}${line}`.trimEnd())];
  });
}
