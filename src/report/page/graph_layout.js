// Places for the nodes of a graph, in layers from top to bottom: each node below those that it reads.
//
// After Sugiyama, Tagawa and Toda (1981): layers by longest paths, order within a layer by the means of neighbours,
// then x by least squares. Edges that span several layers take a slot in each, so that they go around nodes.
(function () {
  'use strict';

  const WIDTH = 132, HEIGHT = 42, GAP = 18, LAYER = 86, BEND = 10;
  // How many slots edges may take for each node. Where a tensor is read all over a deep model, the longest of its edges
  // take none, and pass beside the graph.
  const SLOTS = 8, LANES = 6, LANE = 8;
  const SWEEPS = 8, FIRM = 1e4;

  report.NODE = {width: WIDTH, height: HEIGHT};

  // The layer of each node. Edges that close a circle (no model has any) do not count.
  function layersOf(nodes, readers) {
    const layer = new Int32Array(nodes.length), open = nodes.map((node) => node.inputs.length);
    const queue = [];
    open.forEach((count, i) => { if (count === 0) queue.push(i); });
    for (let at = 0; at < queue.length; ++at) {
      for (const reader of readers[queue[at]]) {
        layer[reader] = Math.max(layer[reader], layer[queue[at]] + 1);
        if (--open[reader] === 0) queue.push(reader);
      }
    }
    // What reads nothing stands right above its first reader.
    nodes.forEach((node, i) => {
      if (node.inputs.length || !readers[i].length) return;
      layer[i] = Math.max(0, Math.min(...readers[i].map((reader) => layer[reader])) - 1);
    });
    return layer;
  }

  // Slots in layers: one per node, and those of edges that pass. Edges without a path are those that pass beside.
  function makeSlots(nodes, layer) {
    const layers = [], slots = [], edges = [];
    function slot(at, width) {
      const made = {layer: at, width, x: 0, order: 0, up: [], down: []};
      (layers[at] = layers[at] || []).push(made);
      slots.push(made);
      return made;
    }
    nodes.forEach((node, i) => slot(layer[i], WIDTH));
    nodes.forEach((node, i) => { for (const from of new Set(node.inputs)) edges.push({from, to: i}); });
    const span = (edge) => layer[edge.to] - layer[edge.from];
    edges.sort((a, b) => span(a) - span(b));
    let left = SLOTS * nodes.length;
    for (const edge of edges) {
      left -= Math.max(0, span(edge) - 1);
      if (span(edge) < 1 || left < 0) continue;
      edge.path = [slots[edge.from]];
      for (let at = layer[edge.from] + 1; at < layer[edge.to]; ++at) edge.path.push(slot(at, BEND));
      edge.path.push(slots[edge.to]);
      for (let k = 1; k < edge.path.length; ++k) {
        edge.path[k - 1].down.push(edge.path[k]);
        edge.path[k].up.push(edge.path[k - 1]);
      }
    }
    return {layers: Array.from(layers, (list) => list || []), edges, slots};
  }

  const mean = (slots, key) => slots.reduce((sum, slot) => sum + slot[key], 0) / slots.length;

  function orderLayers(layers) {
    layers.forEach((list) => list.forEach((slot, i) => { slot.order = i; }));
    for (let sweep = 0; sweep < SWEEPS; ++sweep) {
      const down = sweep % 2 === 0, side = down ? 'up' : 'down';
      for (const list of down ? layers : layers.slice().reverse()) {
        for (const slot of list) slot.wanted = slot[side].length ? mean(slot[side], 'order') : slot.order;
        list.sort((a, b) => a.wanted - b.wanted || a.order - b.order);
        list.forEach((slot, i) => { slot.order = i; });
      }
    }
  }

  // The longest path from top to bottom, through the middle where there are several. It is drawn as a straight line
  // that all else gathers around: left to their neighbours alone, blocks that repeat would all drift to the same side.
  function markSpine(layers) {
    let slot = layers[layers.length - 1][0];
    while (slot) {
      slot.spine = true;
      const above = slot.up.filter((other) => other.width === WIDTH).sort((x, y) => x.order - y.order);
      slot = above[Math.floor(above.length / 2)];
    }
  }

  // The places nearest to `wanted` (least squares) that keep order and distances: isotonic regression, by pooling
  // neighbours that would overlap.
  function place(list) {
    const blocks = [], middle = (block) => block.sum / block.weight;
    let offset = 0;
    list.forEach((slot, i) => {
      if (i > 0) offset += (list[i - 1].width + slot.width) / 2 + GAP;
      slot.offset = offset;
      const weight = slot.spine ? FIRM : 1;
      let block = {sum: weight * (slot.wanted - offset), weight, count: 1};
      while (blocks.length && middle(blocks[blocks.length - 1]) > middle(block)) {
        const {sum, weight: more, count} = blocks.pop();
        block = {sum: block.sum + sum, weight: block.weight + more, count: block.count + count};
      }
      blocks.push(block);
    });
    let i = 0;
    for (const block of blocks) for (let k = 0; k < block.count; ++k, ++i) list[i].x = middle(block) + list[i].offset;
  }

  // Where neighbours are. Those that are nodes count alone, so that chains of nodes are straight, and edges that pass
  // go around them.
  function around(slots) {
    const nodes = slots.filter((slot) => slot.width === WIDTH);
    return mean(nodes.length ? nodes : slots, 'x');
  }

  function placeLayers(layers) {
    for (let sweep = 0; sweep <= SWEEPS; ++sweep) {
      const down = sweep % 2 === 0, side = down ? 'up' : 'down';
      for (const list of down ? layers : layers.slice().reverse()) {
        for (const slot of list) slot.wanted = slot.spine ? 0 : slot[side].length ? around(slot[side]) : slot.x;
        place(list);
      }
    }
  }

  // The points of an edge that passes to the right of all that is between its ends.
  function besides(from, to, layers, lane) {
    const between = layers.slice(from.layer + 1, to.layer).flat();
    const x = d3.max(between.concat(from, to), (slot) => slot.x + slot.width / 2) + GAP + lane * LANE;
    const [top, bottom] = [from.layer * LAYER, to.layer * LAYER];
    if (bottom - top <= 2 * LAYER) return [[from.x, top], [to.x, bottom]];
    return [[from.x, top], [x, top + LAYER], [x, bottom - LAYER], [to.x, bottom]];
  }

  // {x, y: centres of the nodes, layers: nodes from left to right in each, edges: [{from, to, points}],
  //  left, right, top, bottom}
  report.layoutGraph = (nodes, readers) => {
    const {layers, edges, slots} = makeSlots(nodes, layersOf(nodes, readers));
    orderLayers(layers);
    markSpine(layers);
    placeLayers(layers);
    const x = nodes.map((node, i) => slots[i].x), y = nodes.map((node, i) => slots[i].layer * LAYER);
    const indexOf = new Map(nodes.map((node, i) => [slots[i], i]));
    for (const [i, edge] of edges.entries()) {
      edge.points = edge.path ? edge.path.map((slot) => [slot.x, slot.layer * LAYER])
          : besides(slots[edge.from], slots[edge.to], layers, i % LANES);
      delete edge.path;
      const xs = edge.points.map((point) => point[0]);
      edge.left = Math.min(...xs);
      edge.right = Math.max(...xs);
      edge.top = edge.points[0][1];
      edge.bottom = edge.points[edge.points.length - 1][1];
    }
    const rows = layers.map((list) => list.map((slot) => indexOf.get(slot)).filter((i) => i !== undefined));
    return {
      x, y, edges, layers: rows,
      left: d3.min(x) - WIDTH, right: d3.max(x) + WIDTH, top: -HEIGHT, bottom: d3.max(y) + HEIGHT
    };
  };
})();
