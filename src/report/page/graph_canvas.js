// The graph on a canvas: drawing what is in sight, zooming, panning, and finding the node under a pointer.
(function () {
  'use strict';

  // From no error to the largest: darker and darker on light paper, lighter on dark, so that nobody needs the hues.
  const RAMPS = {
    light: ['#f6f3ec', '#fce0b6', '#f8b479', '#e4784c', '#bd3a2c', '#7a1424'],
    dark: ['#252c35', '#4b3b2d', '#7e512c', '#bb6d2e', '#f09c47', '#ffdba1']
  };
  const DECADES = 4, TEXT_FROM = 0.42, FIT_FROM = 0.3, READABLE = 0.75;

  // Errors on a logarithmic scale below the largest: {of(error): 0 to 1 or null, low, high}.
  report.errorScale = (errors) => {
    const known = errors.filter((error) => error > 0 && isFinite(error));
    const high = d3.max(known) || 1, low = Math.max(d3.min(known) || high / 10, high * Math.pow(10, -DECADES));
    const scale = d3.scale.log().domain([Math.min(low, high * 0.999), high]).range([0, 1]).clamp(true);
    // NaN and infinity are the worst that a model can do.
    function of(error) {
      if (error === null) return null;
      return error === Infinity || error !== error ? 1 : error > 0 ? scale(error) : 0;
    }
    return {of, low, high};
  };

  report.rampColor = (part) => {
    const ramp = RAMPS[report.theme()];
    return d3.scale.linear().domain(d3.range(ramp.length).map((i) => i / (ramp.length - 1))).range(ramp)
        .interpolate(d3.interpolateLab)(part);
  };

  const meets = (sight, left, top, right, bottom) =>
    right >= sight.left && left <= sight.right && bottom >= sight.top && top <= sight.bottom;

  const inkOn = (fill) => d3.lab(fill).l > 60 ? '#14181d' : '#ffffff';

  // graph: {nodes, layout, parts: colour of each node as 0 to 1 or null}. Calls picked(index) and hovered(index or -1,
  // point) for pointers.
  report.GraphCanvas = class {
    constructor(place, graph, {picked, hovered}) {
      Object.assign(this, {place, graph, picked, hovered, selected: -1, found: new Set(), waiting: false});
      this.canvas = report.element('canvas', {tabindex: 0, role: 'application', 'aria-label':
        'Graph of the model. Arrow keys go from node to node, plus and minus zoom, 0 shows all.'});
      this.overview = report.element('canvas', {class: 'overview', 'aria-hidden': 'true'});
      place.append(this.canvas, this.overview);
      this.zoom = d3.behavior.zoom().on('zoom', () => this.draw());
      d3.select(this.canvas).call(this.zoom).on('dblclick.zoom', null);
      this.canvas.addEventListener('click', (event) => { if (!event.defaultPrevented) this.click(event); });
      this.canvas.addEventListener('mousemove', (event) => this.hover(event));
      this.canvas.addEventListener('mouseleave', () => this.hovered(-1));
      this.overview.addEventListener('pointerdown', (event) => this.jump(event));
      this.overview.addEventListener('pointermove', (event) => { if (event.buttons) this.jump(event); });
      report.onTheme(() => this.recolor());
      this.recolor();
      new ResizeObserver(() => this.resize()).observe(place);
    }

    recolor() {
      const steps = d3.range(33).map((i) => report.rampColor(i / 32)), inks = steps.map(inkOn);
      this.fills = this.graph.parts.map((part) => part === null ? null : steps[Math.round(part * 32)]);
      this.inks = this.graph.parts.map((part) => part === null ? report.color('ink') : inks[Math.round(part * 32)]);
      this.draw();
    }

    // What is left of the overview, in pixels.
    get width() { return this.place.clientWidth - this.overview.clientWidth; }
    get height() { return this.place.clientHeight; }

    resize() {
      const ratio = window.devicePixelRatio || 1, first = !this.sized;
      for (const canvas of [this.canvas, this.overview]) {
        canvas.width = Math.max(1, Math.round(canvas.clientWidth * ratio));
        canvas.height = Math.max(1, Math.round(canvas.clientHeight * ratio));
      }
      this.ratio = ratio;
      this.sized = true;
      this.zoom.scaleExtent([Math.min(0.05, this.fitScale()), 3]);
      if (first) this.start();
      this.draw(true);
    }

    fitScale() {
      const {left, right, top, bottom} = this.graph.layout;
      return Math.min(1.25, this.width / (right - left), this.height / (bottom - top));
    }

    // All of the graph, if its nodes can be told apart then; or else what is around its worst node.
    start() {
      if (this.fitScale() >= FIT_FROM || !this.graph.nodes.length) return this.fit();
      const {parts} = this.graph, worst = parts.reduce((best, part, i) => part > (parts[best] || 0) ? i : best, 0);
      this.centre(worst, READABLE);
    }

    fit() {
      const {left, right, top, bottom} = this.graph.layout;
      this.show((left + right) / 2, (top + bottom) / 2, this.fitScale());
    }

    centre(node, scale) {
      const {x, y} = this.graph.layout;
      this.show(x[node], y[node], scale || Math.max(this.zoom.scale(), READABLE));
    }

    show(x, y, scale) {
      this.zoom.scale(scale).translate([this.width / 2 - x * scale, this.height / 2 - y * scale]);
      this.draw();
    }

    zoomBy(factor) {
      const scale = this.zoom.scale(), [dx, dy] = this.zoom.translate(), [low, high] = this.zoom.scaleExtent();
      this.show((this.width / 2 - dx) / scale, (this.height / 2 - dy) / scale,
          Math.min(high, Math.max(low, scale * factor)));
    }

    nodeAt(event) {
      const box = this.canvas.getBoundingClientRect(), scale = this.zoom.scale(), [dx, dy] = this.zoom.translate();
      const x = (event.clientX - box.left - dx) / scale, y = (event.clientY - box.top - dy) / scale;
      const {layout} = this.graph;
      return layout.x.findIndex((at, i) => Math.abs(at - x) <= report.NODE.width / 2 &&
          Math.abs(layout.y[i] - y) <= report.NODE.height / 2);
    }

    click(event) {
      const node = this.nodeAt(event);
      if (node >= 0) this.picked(node);
    }

    hover(event) {
      const node = event.buttons ? -1 : this.nodeAt(event), box = this.place.getBoundingClientRect();
      this.canvas.classList.toggle('over', node >= 0);
      this.hovered(node, [event.clientX - box.left, event.clientY - box.top]);
    }

    jump(event) {
      const box = this.overview.getBoundingClientRect(), {left, right, top, bottom} = this.graph.layout;
      this.show(left + (right - left) * (event.clientX - box.left) / box.width,
          top + (bottom - top) * (event.clientY - box.top) / box.height, this.zoom.scale());
    }

    // Draws with the next frame, or at once.
    draw(now) {
      if (!this.sized) return;
      if (now) return this.paint();
      if (this.waiting) return;
      this.waiting = true;
      requestAnimationFrame(() => {
        this.waiting = false;
        this.paint();
      });
    }

    paint() {
      const context = this.canvas.getContext('2d'), scale = this.zoom.scale(), [dx, dy] = this.zoom.translate();
      context.setTransform(1, 0, 0, 1, 0, 0);
      context.clearRect(0, 0, this.canvas.width, this.canvas.height);
      context.setTransform(this.ratio * scale, 0, 0, this.ratio * scale, this.ratio * dx, this.ratio * dy);
      const sight = {left: -dx / scale, top: -dy / scale, right: (this.place.clientWidth - dx) / scale,
        bottom: (this.height - dy) / scale};
      this.paintEdges(context, sight, scale);
      this.paintNodes(context, sight, scale);
      this.paintOverview(sight);
    }

    paintEdges(context, sight, scale) {
      const strokes = [[report.color('axis'), 1.1], [report.color('accent'), 2.6]];
      strokes.forEach(([color, width], chosen) => {
        context.beginPath();
        for (const edge of this.graph.layout.edges) {
          if (!meets(sight, edge.left, edge.top, edge.right, edge.bottom)) continue;
          if (chosen && edge.from !== this.selected && edge.to !== this.selected) continue;
          path(context, edge.points);
        }
        context.strokeStyle = color;
        // Never thinner than most of a pixel.
        context.lineWidth = Math.max(width, (chosen ? 1.6 : 0.6) / scale);
        context.stroke();
      });
    }

    paintNodes(context, sight, scale) {
      const {nodes, layout} = this.graph, {width, height} = report.NODE, paper = report.color('paper');
      const outline = report.color('axis'), accent = report.color('accent');
      context.textAlign = 'center';
      for (let i = 0; i < nodes.length; ++i) {
        const x = layout.x[i], y = layout.y[i];
        if (!meets(sight, x - width, y - height, x + width, y + height)) continue;
        const marked = i === this.selected || this.found.has(i);
        context.fillStyle = this.fills[i] || paper;
        context.strokeStyle = marked ? accent : outline;
        context.lineWidth = marked ? Math.max(3, 2 / scale) : 1;
        context.setLineDash(this.fills[i] ? [] : [4, 3]);
        context.beginPath();
        context.roundRect(x - width / 2, y - height / 2, width, height, 6);
        context.fill();
        if (scale > 0.15 || marked) context.stroke();
        if (scale >= TEXT_FROM) this.paintText(context, i, x, y);
      }
      context.setLineDash([]);
    }

    paintText(context, i, x, y) {
      const node = this.graph.nodes[i];
      node.words = node.words || [plots.shorten(node.op_type, 118, 13), plots.shorten(node.name, 132, 10.5, 0)];
      context.fillStyle = this.inks[i];
      context.font = '600 13px system-ui, sans-serif';
      context.fillText(node.words[0], x, y - 3);
      context.font = '10.5px system-ui, sans-serif';
      context.fillText(node.words[1], x, y + 13);
    }

    // Every node as a dot, its worst ones last, so that none of these is covered; and what the graph shows, as a frame.
    paintOverview(sight) {
      const context = this.overview.getContext('2d'), {layout, parts} = this.graph, {width, height} = this.overview;
      const x = d3.scale.linear().domain([layout.left, layout.right]).range([0, width]).clamp(true);
      const y = d3.scale.linear().domain([layout.top, layout.bottom]).range([0, height]).clamp(true);
      context.setTransform(1, 0, 0, 1, 0, 0);
      context.fillStyle = report.color('ground');
      context.fillRect(0, 0, width, height);
      this.byError = this.byError || d3.range(parts.length).sort((a, b) => parts[a] - parts[b]);
      const dot = [Math.max(3, x(report.NODE.width) - x(0)), Math.max(2, y(report.NODE.height) - y(0))];
      for (const i of this.byError) {
        context.fillStyle = this.fills[i] || report.color('axis');
        context.fillRect(x(layout.x[i]) - dot[0] / 2, y(layout.y[i]) - dot[1] / 2, ...dot);
      }
      context.strokeStyle = report.color('accent');
      context.lineWidth = 2 * this.ratio;
      context.strokeRect(x(sight.left) + 1, y(sight.top) + 1, Math.max(4, x(sight.right) - x(sight.left) - 2),
          Math.max(4, y(sight.bottom) - y(sight.top) - 2));
    }
  };

  // A smooth line through points, upright at each.
  function path(context, points) {
    context.moveTo(points[0][0], points[0][1]);
    for (let i = 1; i < points.length; ++i) {
      const [x0, y0] = points[i - 1], [x1, y1] = points[i], middle = (y0 + y1) / 2;
      context.bezierCurveTo(x0, middle, x1, middle, x1, y1);
    }
  }
})();
