/**
 * @typedef {object} Table
 * @property {string} [title]
 * @property {readonly string[]} columns
 * @property {readonly (readonly string[])[]} rows
 *
 * @typedef {object} BenchResult
 * @property {readonly Table[]} tables
 * @property {readonly string[]} [notes]
 * @property {readonly string[]} [failures] what did not reach its goal, or did not work
 * @property {number} [rounds]
 * @property {unknown} [data] raw figures, kept as JSON in the bench folder
 */

/** The result as Markdown. @param {BenchResult} result */
export function renderMarkdown(result, heading) {
  const escapePipes = (cell) => cell.replaceAll('|', '\\|');
  const row = (cells) => `| ${cells.map(escapePipes).join(' | ')} |`;
  const tables = result.tables.map(({ title, columns, rows }) =>
    [...(title ? [`${title}:`, ''] : []), row(columns), row(columns.map(() => '---')), ...rows.map(row)].join('\n'),
  );
  return [heading, ...tables, ...listsOf(result)].join('\n\n');
}

/** The result as aligned text. @param {BenchResult} result */
export function renderText(result, heading) {
  const tables = result.tables.map(({ title, columns, rows }) => {
    const all = [columns, ...rows];
    const widths = columns.map((_, column) => Math.max(...all.map((cells) => cells[column]?.length ?? 0)));
    const lines = all.map((cells) =>
      cells
        .map((cell, column) => cell.padEnd(widths[column]))
        .join('  ')
        .trimEnd(),
    );
    return [...(title ? [title] : []), ...lines].join('\n');
  });
  return [heading, ...tables, ...listsOf(result)].join('\n\n');
}

function listsOf({ notes = [], failures = [] }) {
  const list = (items) => items.map((item) => `- ${item}`).join('\n');
  const shown = notes.length > 0 ? [list(notes)] : [];
  return failures.length > 0 ? [...shown, `Not reached:\n\n${list(failures)}`] : shown;
}
