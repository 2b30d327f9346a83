// The section of the graph: search, buttons, legend, and the panel of the node that is chosen.
(function () {
  'use strict';

  const MATCHES = 50;
  let byName = new Map(), select = null;

  // Which node a name means: its own, or that of the tensor.
  report.indexNodes = (data) => {
    const nodes = data.graph ? data.graph.nodes : [];
    byName = new Map(nodes.map((node, i) => [node.name, i]));
    for (const tensor of data.tensors || []) {
      if (!byName.has(tensor.name) && byName.has(tensor.node)) byName.set(tensor.name, byName.get(tensor.node));
    }
  };

  // A name that shows its node when pressed; just the name where the graph has no such node.
  report.nodeLink = (name, kind) => {
    if (!byName.has(name)) return report.element('code', {class: 'small'}, name);
    return report.button(name, () => select(byName.get(name), true), {class: kind || null, title: 'Show in the graph'});
  };

  function legend(graph, label) {
    const {scale} = graph;
    label = label || 'error of the output with this node alone quantized';
    const swatches = d3.range(6).map(() => report.element('i'));
    const color = () => swatches.forEach((swatch, i) => { swatch.style.background = report.rampColor(i / 5); });
    report.onTheme(color);
    color();
    const steps = report.element('span', {class: 'steps'}, '\u2264 ' + plots.number(scale.low, 2),
        report.element('span', {}, swatches), plots.number(scale.high, 2));
    return report.element('div', {class: 'legend'},
        graph.errors.some((error) => error !== null) ? [report.element('span', {}, label), steps] : null,
        report.element('span', {class: 'steps'}, report.element('i', {class: 'none'}), 'not measured'));
  }

  function countOf(matches) {
    if (!matches.length) return 'No node has that in its name';
    return `${matches.length} nodes` + (matches.length > MATCHES ? `, the first ${MATCHES} shown` : '');
  }

  // An input that lists the nodes whose names hold what is typed. choose(index) for the one that is taken.
  function search(nodes, {choose, mark}) {
    const names = nodes.map((node) => node.name.toLowerCase());
    const list = report.element('ul', {role: 'listbox', id: 'matches', hidden: '', 'aria-label': 'Nodes found'});
    const input = report.element('input', {type: 'search', placeholder: 'Find a node by name',
      'aria-label': 'Find a node by name', role: 'combobox', 'aria-expanded': 'false', 'aria-controls': 'matches',
      autocomplete: 'off', spellcheck: 'false'});
    let matches = [], active = -1;

    function open(show) {
      list.hidden = !show;
      input.setAttribute('aria-expanded', String(show));
    }
    function activate(at) {
      active = at;
      [...list.querySelectorAll('[role=option]')].forEach((item, i) => {
        item.setAttribute('aria-selected', String(i === at));
        if (i === at) item.scrollIntoView({block: 'nearest'});
      });
      if (at >= 0) input.setAttribute('aria-activedescendant', 'match-' + at);
      else input.removeAttribute('aria-activedescendant');
    }
    function take(at) {
      open(false);
      choose(matches[at]);
    }
    input.addEventListener('input', () => {
      const wanted = input.value.trim().toLowerCase();
      matches = wanted ? d3.range(names.length).filter((i) => names[i].includes(wanted)) : [];
      mark(new Set(matches));
      list.replaceChildren(...matches.slice(0, MATCHES).map((node, i) => report.element('li', {
        role: 'option', id: 'match-' + i, 'aria-selected': 'false',
        mousedown: (event) => {
          event.preventDefault();
          take(i);
        }
      }, nodes[node].name)));
      const count = report.element('li', {class: 'count', role: 'presentation'}, countOf(matches));
      if (matches.length !== 1) list.append(count);
      open(wanted !== '');
      activate(matches.length ? 0 : -1);
    });
    input.addEventListener('keydown', (event) => {
      const last = Math.min(matches.length, MATCHES) - 1;
      if (event.key === 'ArrowDown') activate(Math.min(active + 1, last));
      else if (event.key === 'ArrowUp') activate(Math.max(active - 1, 0));
      else if (event.key === 'Enter' && active >= 0) take(active);
      else if (event.key === 'Escape') open(false);
      else return;
      event.preventDefault();
    });
    input.addEventListener('blur', () => open(false));
    return report.element('div', {class: 'search'}, input, list);
  }

  // The node that an arrow key leads to.
  function neighbour(key, node, graph) {
    const {layers, y} = graph.layout;
    if (key === 'ArrowUp') return graph.nodes[node].inputs[0];
    if (key === 'ArrowDown') return graph.readers[node][0];
    const row = layers.find((list) => list.length && y[list[0]] === y[node]);
    return row[row.indexOf(node) + (key === 'ArrowRight' ? 1 : -1)];
  }

  function onKey(event, view, graph) {
    if (event.key === '+' || event.key === '=') view.zoomBy(1.4);
    else if (event.key === '-') view.zoomBy(1 / 1.4);
    else if (event.key === '0') view.fit();
    else if (event.key.startsWith('Arrow')) {
      const to = view.selected < 0 ? graph.layout.layers[0][0] : neighbour(event.key, view.selected, graph);
      if (to !== undefined) select(to);
    } else {
      return;
    }
    event.preventDefault();
  }

  function makeGraph(data) {
    const nodes = data.graph.nodes.map((node) => ({...node, inputs: node.inputs || []})), readers = nodes.map(() => []);
    nodes.forEach((node, i) => { for (const from of new Set(node.inputs)) readers[from].push(i); });
    const errors = nodes.map(({error}) => error === null || error === undefined ? null : plots.value(error));
    const scale = report.errorScale(errors);
    return {nodes, readers, errors, scale, parts: errors.map(scale.of), layout: report.layoutGraph(nodes, readers)};
  }

  // A node in a line.
  function describe(graph, node) {
    const {name, op_type: op, precisions} = graph.nodes[node], error = graph.errors[node];
    const words = [name, op, precisions, error === null ? null : 'error ' + plots.number(error)];
    return words.filter(Boolean).join(' \u00b7 ');
  }

  // A small text beside the pointer.
  function tip(place, graph) {
    const shown = report.element('div', {class: 'tip', hidden: ''});
    place.append(shown);
    return (node, point) => {
      shown.hidden = node < 0;
      if (node < 0) return;
      shown.textContent = describe(graph, node);
      shown.style.left = Math.max(4, Math.min(point[0] + 14, place.clientWidth - shown.offsetWidth - 4)) + 'px';
      shown.style.top = Math.max(4, Math.min(point[1] + 16, place.clientHeight - shown.offsetHeight - 4)) + 'px';
    };
  }

  report.showGraph = (data) => {
    if (!data.graph || !data.graph.nodes.length) return;
    const graph = makeGraph(data), place = report.element('div', {class: 'canvas-place'});
    const panel = report.element('aside', {class: 'card panel', 'aria-label': 'Node', tabindex: 0},
        report.element('p', {class: 'faint'}, 'Choose a node to see its precisions and tensors.'));
    const said = report.element('p', {class: 'unseen', 'aria-live': 'polite'});
    let view = null, worst = -1;
    const byError = d3.range(graph.nodes.length).filter((i) => graph.parts[i] !== null)
        .sort((a, b) => graph.parts[b] - graph.parts[a] || (graph.errors[b] || 0) - (graph.errors[a] || 0));

    select = (node, scroll) => {
      view.selected = node;
      view.centre(node);
      panel.replaceChildren(...report.nodePanel(data, graph, node));
      panel.scrollTop = 0;
      said.textContent = describe(graph, node);
      if (scroll) document.getElementById('graph').scrollIntoView();
    };
    function nextWorst() {
      worst = (worst + 1) % byError.length;
      select(byError[worst]);
    }
    const tools = report.element('div', {class: 'graph-tools'},
        search(graph.nodes, {choose: (node) => select(node), mark: (found) => { view.found = found; view.draw(); }}),
        report.element('div', {class: 'buttons'},
            report.button('\u2212', () => view.zoomBy(1 / 1.4), {'aria-label': 'Zoom out'}),
            report.button('+', () => view.zoomBy(1.4), {'aria-label': 'Zoom in'}),
            report.button('All', () => view.fit(), {'aria-label': 'Show the whole graph'}),
            byError.length ? report.button('Next worst', nextWorst) : null));
    report.section('graph', 'Graph', report.element('div', {class: 'graph'},
        report.element('div', {}, tools, said, place, legend(graph, data.graph.error_label)), panel));
    view = new report.GraphCanvas(place, graph, {picked: (node) => select(node), hovered: tip(place, graph)});
    view.canvas.addEventListener('keydown', (event) => onKey(event, view, graph));
    view.resize();
    report.graph = {graph, view};
  };
})();
