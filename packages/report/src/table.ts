import { type Html, html, type Part } from './html.ts';

export interface Column<Row> {
  readonly title: string;
  readonly cell: (row: Row) => Part;
  /** `text` when nothing is said. Numbers are set to the right; names of a model have letters of one width and break anywhere. */
  readonly kind?: 'text' | 'number' | 'name' | 'picture';
  /** What the column sorts by where that is not its text. `undefined`: the row stays last. */
  readonly sort?: (row: Row) => number | undefined;
}

export interface TableOptions {
  /** What the table shows: its caption. */
  readonly caption: string;
  readonly sortable?: boolean;
}

/** A table that scrolls inside its own box, which the keyboard reaches. The first column heads its row. */
export function table<Row>(rows: readonly Row[], columns: readonly Column<Row>[], options: TableOptions): Html {
  const heads = columns.map((column) => headCell(column));
  const lines = rows.map(
    (row) => html`<tr>${columns.map((column, index) => bodyCell(row, column, index === 0))}</tr>\n`,
  );
  return html`<div class="scroll" role="region" tabindex="0" aria-label="${options.caption}">
<table class="${options.sortable ? 'sortable' : 'plain'}"><caption>${options.caption}</caption>
<thead><tr>${heads}</tr></thead>
<tbody>
${lines}</tbody></table></div>
`;
}

function headCell<Row>({ title, kind, sort }: Column<Row>): Html {
  if (kind === 'picture') return html`<th scope="col" class="picture" data-plain="">${title}</th>`;
  // Numbers are looked through for the greatest.
  return html`<th scope="col" class="${kind ?? 'text'}" data-first="${sort ? 'descending' : 'ascending'}">${title}</th>`;
}

function bodyCell<Row>(row: Row, { cell, kind, sort }: Column<Row>, isHead: boolean): Html {
  const content = cell(row);
  const name = kind ?? 'text';
  if (isHead) return html`<th scope="row" class="${name}">${content}</th>`;
  return sort
    ? html`<td class="${name}" data-sort="${sort(row) ?? ''}">${content}</td>`
    : html`<td class="${name}">${content}</td>`;
}

/** Names and what they are, one pair to a line. Pairs without a value are left out. */
export const facts = (pairs: readonly (readonly [string, Part])[]): Html =>
  html`<dl class="facts">${pairs
    .filter(([, value]) => value !== undefined && value !== '')
    .map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>\n`)}</dl>\n`;

/** Something that must not be overlooked: said in words and a frame, not only by colour. */
export const warning = (text: Part): Html => html`<p class="warning"><strong>Careful:</strong> ${text}</p>\n`;

export const list = (items: readonly Part[]): Html | undefined =>
  items.length > 0 ? html`<ul>${items.map((item) => html`<li>${item}</li>\n`)}</ul>\n` : undefined;
