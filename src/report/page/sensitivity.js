// Sensitivities: bars of the worst units, and tables of all.
(function () {
  'use strict';

  const BARS = 20;

  // A metric as something that grows with the error, where it has a natural end.
  const AS_ERROR = {'cosine-similarity': {label: '1 \u2212 cosine-similarity', of: (value) => 1 - value}};

  function bars(unit, metric, rows) {
    const plain = {label: metric === 'sqnr' ? 'sqnr (dB, low is bad)' : metric, of: (value) => value};
    const error = AS_ERROR[metric] || plain, worst = rows.slice(0, BARS);
    return {
      kind: 'bars', title: `The ${worst.length} most sensitive of ${rows.length}: ${unit}`, x_label: error.label,
      names: worst.map((row) => row.name),
      values: worst.map((row) => {
        const value = error.of(plots.value(row.metrics[metric]));
        // Subtracting from 1 leaves noise in the last digits.
        return isFinite(value) ? Number(value.toPrecision(6)) : plots.number(value);
      })
    };
  }

  function columns(sensitivity) {
    const has = (key) => sensitivity.rows.some((row) => row[key] !== undefined && row[key] !== null);
    const list = [{title: sensitivity.unit, kind: 'name', get: (row) => row.name,
      cell: (row) => report.nodeLink(row.name, 'name')}];
    if (has('op_type')) list.push({title: 'op', kind: 'text', get: (row) => row.op_type});
    for (const metric of sensitivity.metrics) {
      list.push({title: metric, kind: 'number', get: (row) => row.metrics[metric]});
    }
    for (const key of ['threshold', 'bits'].filter(has)) {
      list.push({title: key, kind: 'number', get: (row) => row[key]});
    }
    return list;
  }

  report.showSensitivity = (data) => {
    const shown = (data.sensitivity || []).filter((sensitivity) => sensitivity.rows && sensitivity.rows.length);
    if (!shown.length) return;
    report.section('sensitivity', 'Sensitivity', shown.map((sensitivity) => {
      const metric = sensitivity.metrics[0];
      return report.element('div', {class: 'card'},
          report.element('h3', {}, 'Each ' + sensitivity.unit + ' alone quantized'),
          metric ? report.figure(() => bars(sensitivity.unit, metric, sensitivity.rows)) : null,
          report.table(columns(sensitivity), sensitivity.rows, 'Sensitivity of ' + sensitivity.unit));
    }));
  };
})();
