for (const table of document.querySelectorAll('table.sortable')) {
  table.classList.add('on');
  const body = table.tBodies[0];
  let last = -1;
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    head.addEventListener('click', () => {
      const up = last !== column;
      last = up ? column : -1;
      const key = row => row.cells[column].dataset.v ?? row.cells[column].textContent;
      const rows = [...body.rows].sort((a, b) => {
        const x = key(a), y = key(b), d = x - y;
        return Number.isNaN(d) ? x.localeCompare(y) : d;
      });
      if (!up) rows.reverse();
      body.append(...rows);
    });
  });
}
addEventListener('beforeprint', () => document.querySelectorAll('details').forEach(d => d.open = true));
