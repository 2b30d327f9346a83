// Tables that sort by each column and first show a few rows.
(function () {
  'use strict';

  const FIRST = 20;

  // Numbers before texts, what has no value last, in both directions.
  function compare(a, b, sign) {
    const x = sortKey(a), y = sortKey(b);
    if (x === null || y === null) return (x === null) - (y === null);
    if (typeof x !== typeof y) return typeof x === 'number' ? -1 : 1;
    return typeof x === 'number' ? (x === y ? 0 : sign * (x < y ? -1 : 1)) : sign * x.localeCompare(y);
  }

  function sortKey(value) {
    if (value === null || value === undefined || value === 'nan') return null;
    return value === 'inf' ? Infinity : value === '-inf' ? -Infinity : value;
  }

  // columns: [{title, get(row), kind: "number", "name" or "text", cell(row) for an element in place of the text}].
  report.table = (columns, rows, label) => {
    const body = report.element('tbody'), foot = report.element('div', {class: 'table-foot buttons'});
    let order = rows.slice(), all = rows.length <= FIRST, sorted = -1, sign = 1;

    function cell(column, row) {
      const value = column.get(row);
      return report.element('td', {class: column.kind},
          column.cell ? column.cell(row) : value === null || value === undefined ? '' : plots.number(value, 6));
    }
    function fill() {
      const shown = all ? order : order.slice(0, FIRST);
      body.replaceChildren(...shown.map((row) => report.element('tr', {}, columns.map((column) => cell(column, row)))));
    }
    const heads = columns.map((column, i) => report.element('th', {class: column.kind, scope: 'col'},
        report.button(column.title, () => {
          sign = sorted === i ? -sign : 1;
          sorted = i;
          order = rows.slice().sort((a, b) => compare(column.get(a), column.get(b), sign));
          heads.forEach((head, k) => {
            if (k === i) head.setAttribute('aria-sort', sign > 0 ? 'ascending' : 'descending');
            else head.removeAttribute('aria-sort');
          });
          fill();
        })));
    if (!all) {
      const more = report.button(`Show all ${rows.length}`, () => {
        all = !all;
        more.textContent = all ? `Show ${FIRST}` : `Show all ${rows.length}`;
        fill();
      });
      foot.append(more);
    }
    fill();
    return report.element('div', {},
        report.element('div', {class: 'scroll', tabindex: 0, role: 'region', 'aria-label': label},
            report.element('table', {}, report.element('thead', {}, report.element('tr', {}, heads)), body)),
        all ? null : foot);
  };
})();
