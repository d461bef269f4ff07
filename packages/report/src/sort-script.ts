/**
 * Makes the columns of every `table.sortable` sort by a button in their head. Without scripts the table is whole and its
 * head plain text. A cell sorts by its `data-sort` when it has one (a number), else by its text; empty cells stay last.
 */
export const sortScript = `
for (const table of document.querySelectorAll('table.sortable')) {
  const body = table.tBodies[0];
  const heads = [...table.tHead.rows[0].cells];
  const keyOf = (row, column) => row.cells[column].dataset.sort ?? row.cells[column].textContent.trim();
  const compare = (a, b) => {
    if (a === '' || b === '') return (a === '') - (b === '');
    const difference = Number(a) - Number(b);
    return Number.isNaN(difference) ? a.localeCompare(b, undefined, { numeric: true }) : difference;
  };
  heads.forEach((head, column) => {
    if (head.dataset.plain !== undefined) return;
    const button = document.createElement('button');
    button.type = 'button';
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener('click', () => {
      const first = head.dataset.first ?? 'ascending';
      const other = first === 'ascending' ? 'descending' : 'ascending';
      const order = head.getAttribute('aria-sort') === first ? other : first;
      for (const each of heads) each.removeAttribute('aria-sort');
      head.setAttribute('aria-sort', order);
      const rows = [...body.rows].map((row) => ({ row, key: keyOf(row, column) }));
      const sign = order === 'ascending' ? 1 : -1;
      rows.sort((a, b) => (a.key === '' || b.key === '' ? 1 : sign) * compare(a.key, b.key));
      body.append(...rows.map(({ row }) => row));
    });
  });
}
`;
