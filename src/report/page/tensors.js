// What is known of tensors: in the panel of their node, and in a table of all.
(function () {
  'use strict';

  const FACTS = [['dtype', 'type'], ['shape', 'shape'], ['min', 'min'], ['max', 'max'], ['mean', 'mean'],
    ['deviation', 'deviation'], ['scale', 'scale'], ['zero_point', 'zero point'], ['clipped', 'clipped'],
    ['sqnr', 'sqnr'], ['cosine', 'cosine']];

  function words(key, value) {
    if (key === 'clipped' && typeof value === 'number') return plots.number(value * 100, 3) + ' %';
    if (key === 'sqnr' && typeof value === 'number') return plots.number(value) + ' dB';
    return plots.number(value, key === 'cosine' ? 7 : 5);
  }

  function tensorCard(tensor) {
    const facts = FACTS.filter(([key]) => tensor[key] !== undefined && tensor[key] !== null)
        .map(([key, name]) => [name, words(key, tensor[key])]);
    const badge = tensor.kind ? report.element('span', {class: 'badge'}, tensor.kind) : null;
    return report.element('div', {class: 'tensor'},
        report.element('h3', {}, badge, badge ? ' ' : null, tensor.name),
        report.facts(facts),
        tensor.histogram ? report.histogram({x_label: 'value', ...tensor.histogram, kind: 'histogram'}) : null,
        tensor.boxes ? report.figure(() => ({x_label: 'channel', ...tensor.boxes, kind: 'boxes'})) : null);
  }

  function links(title, nodes, graph) {
    return nodes.length ? [report.element('h4', {}, title),
      report.element('div', {class: 'chips'}, nodes.map((i) => report.nodeLink(graph.nodes[i].name)))] : [];
  }

  // What the panel shows of a node.
  report.nodePanel = (data, graph, node) => {
    const {name, op_type: op, precisions, inputs, tensors} = graph.nodes[node], error = graph.errors[node];
    const facts = [['operator', op]];
    if (precisions) facts.push(['precisions', precisions]);
    if (error !== null) facts.push(['error', plots.number(error, 5)]);
    return [report.element('h3', {}, name), report.facts(facts), ...links('Reads', [...new Set(inputs)], graph),
      ...links('Read by', graph.readers[node], graph), ...(tensors || []).map((i) => tensorCard(data.tensors[i]))];
  };

  report.showTensors = (data) => {
    const tensors = data.tensors || [];
    if (!tensors.length) return;
    const columns = [{title: 'tensor', kind: 'name', get: (tensor) => tensor.name,
      cell: (tensor) => report.nodeLink(tensor.name, 'name')}];
    for (const [key, title] of [['kind', 'kind'], ...FACTS]) {
      if (!tensors.some((tensor) => tensor[key] !== undefined && tensor[key] !== null)) continue;
      const text = ['kind', 'dtype', 'shape'].includes(key);
      columns.push({title: key === 'clipped' ? 'clipped %' : title, kind: text ? 'text' : 'number',
        get: (tensor) => key === 'clipped' && typeof tensor[key] === 'number' ? tensor[key] * 100 : tensor[key]});
    }
    const table = report.table(columns, tensors, 'Tensors');
    report.section('tensors', 'Tensors', report.element('div', {class: 'card'}, table));
  };
})();
