// Curves: one value per name or number on the x axis, for each series.
var plots = plots || {};

(function () {
  'use strict';

  var HEIGHT = 260, HOVERS = 500, DOTS = 60;

  // Where each x is, and ticks for the axis.
  function xScale(x, width) {
    if (x.length && x.every(function (v) { return typeof v === 'number'; })) {
      var linear = d3.scale.linear().domain(d3.extent(x)).range([0, width]);
      if (x.length === 1) linear = function () { return width / 2; };
      var ticks = x.length === 1 ? x : linear.ticks(Math.max(2, Math.min(10, width / 60)));
      return {at: function (i) { return linear(x[i]); },
        ticks: ticks.map(function (v) { return {at: linear(v), text: plots.number(v, 6)}; })};
    }
    var step = x.length > 1 ? width / (x.length - 1) : 0;
    function at(i) { return x.length > 1 ? i * step : width / 2; }
    return {at: at, ticks: x.map(function (v, i) { return {at: at(i), text: String(v)}; })};
  }

  function drawSeries(area, series, n, at) {
    var kind = plots.seriesClass(n), values = series.values;
    function defined(i) { return i >= 0 && i < values.length && values[i] !== null; }
    var line = d3.svg.line().defined(function (v) { return v !== null; })
        .x(function (v, i) { return plots.px(at.x(i)); }).y(function (v) { return plots.px(at.y(v)); });
    var path = line(values);
    if (path) {
      area.append('path').attr({'class': 'stroke ' + kind, d: path, 'stroke-dasharray': plots.seriesDash(n)});
    }
    values.forEach(function (v, i) {
      // A point without neighbours has no line.
      var alone = !defined(i - 1) && !defined(i + 1);
      if (v === null || (values.length > DOTS && !alone)) return;
      area.append('circle').attr({'class': 'fill ' + kind, cx: plots.px(at.x(i)), cy: plots.px(at.y(v)), r: 2.5});
    });
  }

  // Columns over the plot that say what is there; a column stands for several points where there are many.
  function drawHovers(area, figure, at, width) {
    var count = figure.x.length, each = Math.ceil(count / HOVERS);
    for (var first = 0; first < count; first += each) {
      var last = Math.min(count, first + each) - 1, lines = [];
      for (var i = first; i <= last; ++i) {
        lines.push(String(figure.x[i]));
        for (var k = 0; k < figure.series.length; ++k) {
          lines.push('  ' + figure.series[k].name + ': ' + plots.number(figure.series[k].values[i], 6));
        }
      }
      var begin = first === 0 ? 0 : (at.x(first - 1) + at.x(first)) / 2;
      var end = last === count - 1 ? width : (at.x(last) + at.x(last + 1)) / 2;
      plots.hover(area, begin, end, HEIGHT, lines.join('\n'));
    }
  }

  plots.kinds.lines = function (document, figure, width) {
    var all = [];
    figure.series.forEach(function (series) { all = all.concat(series.values); });
    var y = (figure.y_scale === 'log' ? plots.logScale : plots.linearScale)(all, [HEIGHT, 0], 6);
    var left = plots.yRoom(y, figure.y_label), right = 12;
    var plan = plots.planXAxis(xScale(figure.x, plots.innerWidth(width, left, right)).ticks, 150, figure.x_label);
    left = Math.max(left, Math.min(plan.left, width * 0.35));
    var inner = plots.innerWidth(width, left, right), x = xScale(figure.x, inner);
    plan = plots.planXAxis(x.ticks, 150, figure.x_label);
    var frame = plots.frame(document, figure, {width: width, left: left, height: HEIGHT, below: plan.height,
      legend: figure.series.map(function (series, n) {
        return {name: series.name, mark: plots.lineMark('stroke ' + plots.seriesClass(n), plots.seriesDash(n))};
      })});
    plots.drawYAxis(frame.area, y, inner, figure.y_label);
    plots.drawXAxis(frame.area, plan, inner, HEIGHT, figure.x_label);
    var at = {x: x.at, y: y.at};
    figure.series.forEach(function (series, n) { drawSeries(frame.area, series, n, at); });
    drawHovers(frame.area, figure, at, inner);
    return frame.svg;
  };
})();
