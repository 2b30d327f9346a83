// Box plots, one per channel: whiskers from minimum to maximum, the box from first to third quartile, the median.
var plots = plots || {};

(function () {
  'use strict';

  var HEIGHT = 240, THIN = 4, COLUMN = 2;

  function names(figure) {
    return figure.boxes.map(function (box, i) { return String(figure.names ? figure.names[i] : i); });
  }

  // Boxes side by side; each says its numbers.
  function drawBoxes(area, figure, texts, x, y, step) {
    var half = Math.min(14, step * 0.35);
    figure.boxes.forEach(function (box, i) {
      if (box.some(function (v) { return v === null; })) return;
      var at = x(i), g = area.append('g'), v = box.map(function (value) { return plots.px(y(value)); });
      var begin = plots.px(at - half), end = plots.px(at + half);
      g.append('path').attr({'class': 'stroke s0', 'stroke-width': 1,
        d: 'M' + plots.px(at) + ',' + v[0] + 'V' + v[1] + 'M' + plots.px(at) + ',' + v[3] + 'V' + v[4]});
      g.append('rect').attr({'class': 'area', x: begin, y: v[3], width: plots.px(end - begin),
        height: plots.px(Math.max(0.5, v[1] - v[3]))});
      g.append('path').attr({'class': 'stroke s0', d: 'M' + begin + ',' + v[2] + 'H' + end});
      g.append('title').text(texts[i] + '\nmin ' + plots.number(box[0]) + '\nq1 ' + plots.number(box[1]) + '\nmedian ' +
        plots.number(box[2]) + '\nq3 ' + plots.number(box[3]) + '\nmax ' + plots.number(box[4]));
    });
  }

  // Channels side by side as one: the ends of all, the means of the boxes.
  function joined(boxes) {
    var known = boxes.filter(function (box) { return box.every(function (v) { return v !== null; }); });
    if (!known.length) return [null, null, null, null, null];
    return [d3.min, d3.mean, d3.mean, d3.mean, d3.max].map(function (of, k) {
      return of(known, function (box) { return box[k]; });
    });
  }

  // Where boxes would be thinner than lines: bands from side to side, a column for each two pixels at least.
  function drawBands(area, figure, texts, step, y) {
    var each = Math.ceil(COLUMN / step), columns = [];
    for (var i = 0; i < figure.boxes.length; i += each) columns.push(joined(figure.boxes.slice(i, i + each)));
    function x(i) { return plots.px((i + 0.5) * each * step); }
    function known(box) { return box[0] !== null; }
    function band(kind, low, high) {
      area.append('path').attr({'class': kind, d: d3.svg.area().interpolate('step').defined(known)
        .x(function (box, k) { return x(k); }).y0(function (box) { return plots.px(y(box[low])); })
        .y1(function (box) { return plots.px(y(box[high])); })(columns)});
    }
    band('band', 0, 4);
    band('area', 1, 3);
    area.append('path').attr({'class': 'stroke s0', 'stroke-width': 1, d: d3.svg.line().interpolate('step')
      .defined(known).x(function (box, k) { return x(k); })
      .y(function (box) { return plots.px(y(box[2])); })(columns)});
    columns.forEach(function (box, k) {
      var last = Math.min(figure.boxes.length, (k + 1) * each) - 1;
      var name = each > 1 ? texts[k * each] + ' to ' + texts[last] : texts[k];
      plots.hover(area, k * each * step, (last + 1) * step, HEIGHT, name + '\n' + plots.number(box[0]) + ' to ' +
        plots.number(box[4]));
    });
  }

  plots.kinds.boxes = function (document, figure, width) {
    var thresholds = figure.thresholds || [], all = thresholds.concat([0]);
    figure.boxes.forEach(function (box) { all.push(box[0], box[4]); });
    var y = plots.linearScale(all, [HEIGHT, 0], 6);
    var left = plots.yRoom(y, figure.y_label), right = 12, inner = plots.innerWidth(width, left, right);
    var count = figure.boxes.length, step = inner / Math.max(1, count), texts = names(figure);
    function x(i) { return step * (i + 0.5); }
    var thin = step < THIN;
    var ticks = texts.map(function (text, i) { return {at: x(i), text: text}; });
    var plan = plots.planXAxis(ticks, 120, figure.x_label);
    var legend = [{name: 'minimum to maximum', mark: thin ? plots.areaMark('band') : plots.lineMark('stroke s0')},
      {name: 'middle half', mark: plots.areaMark('area')}];
    if (thin) legend.push({name: 'median', mark: plots.lineMark('stroke s0')});
    var frame = plots.frame(document, figure, {width: width, left: left, height: HEIGHT, below: plan.height,
      legend: legend.concat(plots.thresholdEntry(thresholds))});
    plots.drawYAxis(frame.area, y, inner, figure.y_label);
    if (thin) {
      drawBands(frame.area, figure, texts, step, y.at);
    } else {
      drawBoxes(frame.area, figure, texts, x, y.at, step);
    }
    plots.drawXAxis(frame.area, plan, inner, HEIGHT, figure.x_label);
    thresholds.forEach(function (v) {
      var at = plots.px(y.at(v));
      frame.area.append('line').attr({'class': 'limit', x1: 0, x2: inner, y1: at, y2: at});
    });
    return frame.svg;
  };
})();
