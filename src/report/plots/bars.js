// Horizontal bars with their names beside them, or above them where it is narrow.
var plots = plots || {};

(function () {
  'use strict';

  var ROW = 22, TALL_ROW = 38, BAR = 14, NARROW = 560;

  plots.kinds.bars = function (document, figure, width) {
    var values = figure.values, narrow = width < NARROW, row = narrow ? TALL_ROW : ROW;
    var shown = values.map(function (v) { return plots.number(v); });
    var widest = d3.max(figure.names, function (n) { return plots.textWidth(String(n)); }) || 0;
    var name = narrow ? width - 30 : Math.min(width * 0.42, widest);
    // Room for half of the label of the axis' first tick, where names are above.
    var left = narrow ? 18 : name + 10, right = (d3.max(shown, function (t) { return plots.textWidth(t); }) || 0) + 12;
    var inner = plots.innerWidth(width, left, right), height = row * values.length;
    var finite = values.map(plots.value).filter(isFinite);
    var x = plots.linearScale(finite.concat(0), [0, inner], Math.max(2, Math.floor(inner / 90)));
    var plan = plots.planXAxis(x.ticks, 100, figure.x_label);
    var frame = plots.frame(document, figure, {width: width, left: left, height: height, below: plan.height,
      legend: figure.series ? [{name: figure.series, mark: plots.areaMark('fill s0')}] : []});
    var zero = plots.px(x.at(0));
    x.ticks.forEach(function (tick) {
      var at = plots.px(tick.at);
      frame.area.append('line').attr({'class': 'grid', x1: at, x2: at, y1: 0, y2: height});
    });
    plots.drawXAxis(frame.area, plan, inner, height, figure.x_label);
    values.forEach(function (value, i) {
      drawBar(frame.area, {name: String(figure.names[i]), value: plots.value(value), text: shown[i]}, {
        top: row * i + (narrow ? 20 : 4), zero: zero, x: x.at, inner: inner, narrow: narrow, left: left, room: name
      });
    });
    // Which would cross names that are above their bars.
    if (!narrow) frame.area.append('line').attr({'class': 'axis', x1: zero, x2: zero, y1: 0, y2: height});
    return frame.svg;
  };

  function drawBar(area, bar, place) {
    var g = area.append('g'), end = isFinite(bar.value) ? plots.px(place.x(bar.value)) : place.zero;
    var middle = place.top + BAR / 2;
    g.append('title').text(bar.name + ': ' + bar.text);
    // Wide enough to be hit by a pointer, whatever the value.
    g.append('rect').attr({'class': 'hover', x: 0, y: place.top, width: place.inner, height: BAR});
    g.append('rect').attr({'class': 'fill s0', x: Math.min(place.zero, end), y: place.top,
      width: plots.px(Math.max(1, Math.abs(end - place.zero))), height: BAR});
    g.append('text').attr(place.narrow ? {x: -place.left, y: place.top - 5}
                                       : {x: -10, y: middle, dy: '0.35em', 'text-anchor': 'end'})
        .text(plots.shorten(bar.name, place.room));
    g.append('text').attr({'class': 'faint', x: Math.max(end, place.zero) + 6, y: middle, dy: '0.35em'}).text(bar.text);
  }
})();
