// Histograms: the first series as an area, the others as lines on top of it.
var plots = plots || {};

(function () {
  'use strict';

  var HEIGHT = 220;

  // Counts of `per` neighbours added up, so that no bar is thinner than a pixel.
  function merged(counts, per) {
    var sums = [];
    counts.forEach(function (count, i) {
      var k = Math.floor(i / per);
      sums[k] = (sums[k] || 0) + count;
    });
    return sums;
  }

  // The outline of the bars, with nothing where nothing was counted.
  function outline(counts, x, y, edge) {
    var path = '', last = HEIGHT;
    counts.concat(0).forEach(function (count, i) {
      var top = count > 0 ? plots.px(y(count)) : HEIGHT, at = plots.px(x(edge(i)));
      if (top !== last) path += (last === HEIGHT ? 'M' + at + ',' + HEIGHT : 'H' + at) + 'V' + top;
      last = top;
    });
    return path;
  }

  plots.kinds.histogram = function (document, figure, width) {
    var bins = d3.max(figure.series, function (s) { return s.counts.length; }) || 1;
    var per = Math.ceil(bins / (width - 80));
    var series = figure.series.map(function (s) { return {name: s.name, counts: merged(s.counts, per)}; });
    function edge(i) { return figure.low + figure.step * per * i; }
    var thresholds = figure.thresholds || [];
    var largest = d3.max(series, function (s) { return d3.max(s.counts); }) || 0;
    var y = plots.countScale(figure.count_scale || 'log', largest, [HEIGHT, 0], 6);
    var left = plots.yRoom(y, 'count'), right = 12, inner = plots.innerWidth(width, left, right);
    var x = plots.linearScale([edge(0), figure.low + figure.step * bins].concat(thresholds), [0, inner],
        Math.max(2, Math.floor(inner / 80)));
    var plan = plots.planXAxis(x.ticks, 100, figure.x_label);
    var frame = plots.frame(document, figure, {width: width, left: left, height: HEIGHT, below: plan.height,
      legend: series.map(function (s, n) {
        var line = plots.lineMark('stroke ' + plots.seriesClass(n));
        return {name: s.name, mark: n === 0 ? plots.areaMark('area') : line};
      }).concat(plots.thresholdEntry(thresholds))});
    plots.drawYAxis(frame.area, y, inner, 'count');
    series.forEach(function (s, n) {
      var path = outline(s.counts, x.at, y.at, edge);
      frame.area.append('path').attr({'class': n === 0 ? 'area' : 'stroke ' + plots.seriesClass(n), d: path,
        'stroke-width': n === 0 ? null : 1});
    });
    plots.drawXAxis(frame.area, plan, inner, HEIGHT, figure.x_label);
    thresholds.forEach(function (v) {
      var at = plots.px(x.at(v));
      frame.area.append('line').attr({'class': 'limit', x1: at, x2: at, y1: 0, y2: HEIGHT})
          .append('title').text('threshold ' + plots.number(v, 6));
    });
    return frame.svg;
  };
})();
