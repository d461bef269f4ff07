import { stripVTControlCharacters } from 'node:util';

/** Columns that a text takes: colours take none. */
const widthOf = (text: string): number => stripVTControlCharacters(text).length;

/** Rows with aligned columns; the last column is not padded. */
export function table(rows: readonly (readonly string[])[], indent = '  '): string {
  const widths: number[] = [];
  for (const row of rows)
    row.forEach((cell, column) => (widths[column] = Math.max(widths[column] ?? 0, widthOf(cell))));
  const padded = (cell: string, column: number): string => cell + ' '.repeat((widths[column] ?? 0) - widthOf(cell));
  const line = (row: readonly string[]): string =>
    row.map((cell, column) => (column === row.length - 1 ? cell : padded(cell, column))).join('  ');
  return rows.map((row) => indent + line(row)).join('\n');
}
