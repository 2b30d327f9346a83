// What to do, on top; then what was measured on what.
(function () {
  'use strict';

  const SEVERITIES = {limit: 'Limits the model', both: 'Both inputs', operand: 'One operand', note: 'Note'};
  const FIRST_NODES = 12;

  // Buttons that show nodes in the graph.
  function chips(nodes) {
    const list = report.element('div', {class: 'chips'});
    const show = (names) => list.append(...names.map((name) => report.nodeLink(name)));
    show(nodes.slice(0, FIRST_NODES));
    if (nodes.length > FIRST_NODES) {
      const more = report.button(`${nodes.length - FIRST_NODES} more`, () => {
        more.remove();
        show(nodes.slice(FIRST_NODES));
      });
      list.append(more);
    }
    return list;
  }

  function findingTable(table, title) {
    const isNumber = (cell) => typeof cell !== 'string' || /^(-?inf|nan)$/.test(cell);
    const columns = table.headings.map((heading, i) => (
      {title: heading, kind: table.rows.every((row) => isNumber(row[i])) ? 'number' : 'text', get: (row) => row[i]}));
    return report.table(columns, table.rows, title);
  }

  function finding(found) {
    const paragraphs = (found.text || '').split(/\n+/).filter(Boolean);
    const badge = report.element('span', {class: 'badge'}, SEVERITIES[found.severity]);
    return report.element('article', {class: 'card finding ' + found.severity},
        report.element('h3', {}, badge, ' ', found.title),
        paragraphs.map((text) => report.element('p', {}, text)),
        found.nodes && found.nodes.length ? chips(found.nodes) : null,
        found.table ? findingTable(found.table, found.title) : null,
        found.config ? report.paste('Lines for the config', found.config) : null);
  }

  report.showFindings = (data) => {
    if (data.findings) {
      report.section('findings', 'What to do', data.findings.length ? data.findings.map(finding)
          : report.element('p', {class: 'card'}, 'Nothing was found that needs a change.'));
    }
    if (data.config) {
      report.section('config', 'All lines to paste',
          report.element('div', {class: 'card'}, report.paste('All findings together', data.config)));
    }
  };

  report.showMeasured = (data) => {
    if (!data.outputs && !data.facts) return;
    const outputs = data.outputs || [];
    const metrics = [...new Set(outputs.flatMap((output) => Object.keys(output.metrics)))];
    const columns = [{title: 'output', kind: 'name', get: (row) => row.name},
      ...metrics.map((metric) => ({title: metric, kind: 'number', get: (row) => row.metrics[metric]}))];
    report.section('measured', 'Model and outputs', report.element('div', {class: 'card'},
        outputs.length ? report.table(columns, outputs, 'Outputs') : null,
        outputs.length && data.facts ? report.element('h4', {}, 'Measured on') : null,
        data.facts ? report.facts(data.facts) : null));
  };
})();
