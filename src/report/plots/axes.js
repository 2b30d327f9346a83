// Scales, and axes with as many labels as there is room for.
var plots = plots || {};

(function () {
  'use strict';

  function finite(values) { return values.filter(function (v) { return typeof v === 'number' && isFinite(v); }); }

  // A linear scale that holds all values, from `range[0]` to `range[1]`, with its ticks as [{at, text}].
  plots.linearScale = function (values, range, count) {
    var extent = d3.extent(finite(values));
    var low = extent[0] === undefined ? 0 : extent[0], high = extent[1] === undefined ? 1 : extent[1];
    if (low === high) {
      var margin = Math.abs(low) * 0.1 || 1;
      low -= margin;
      high += margin;
    }
    var scale = d3.scale.linear().domain([low, high]).range(range).nice(count);
    var largest = Math.max(Math.abs(scale.domain()[0]), Math.abs(scale.domain()[1]));
    var format = largest < 1e-3 || largest >= 1e6 ? plots.number : scale.tickFormat(count);
    return {at: scale, ticks: scale.ticks(count).map(function (v) { return {at: scale(v), text: format(v)}; })};
  };

  // A logarithmic scale of what is above 0. Anything else lies on its lower end, which is a power of ten.
  plots.logScale = function (values, range, count) {
    var extent = d3.extent(finite(values).filter(function (v) { return v > 0; }));
    var low = Math.floor(Math.log(extent[0] || 1) / Math.LN10 + 1e-9);
    var high = Math.max(low + 1, Math.ceil(Math.log(extent[1] || 10) / Math.LN10 - 1e-9));
    var scale = d3.scale.log().domain([Math.pow(10, low), Math.pow(10, high)]).range(range);
    var step = Math.ceil((high - low + 1) / count), ticks = [];
    for (var power = low; power <= high; power += step) {
      var value = Number('1e' + power);
      ticks.push({at: scale(value), text: power > -4 && power < 4 ? String(value) : '1e' + power});
    }
    var floor = scale.domain()[0];
    return {at: function (v) { return scale(v > floor ? v : floor); }, ticks: ticks};
  };

  // A scale of counts, "log", "sqrt" or "linear"; 0 is on the base line of each.
  plots.countScale = function (kind, largest, range, count) {
    if (kind === 'log') {
      // One more than counted, so that 1 differs from 0.
      var log = d3.scale.linear().domain([0, Math.log(Math.max(largest, 9) + 1)]).range(range);
      var at = function (v) { return log(Math.log(v + 1)); }, ticks = [{at: at(0), text: '0'}];
      var decades = Math.floor(Math.log(Math.max(largest, 10)) / Math.LN10 + 1e-9);
      var step = Math.ceil((decades + 1) / count);
      for (var power = 0; power <= decades; power += step) {
        ticks.push({at: at(Math.pow(10, power)), text: plots.count(Math.pow(10, power))});
      }
      return {at: at, ticks: ticks};
    }
    var scale = kind === 'sqrt' ? d3.scale.sqrt() : d3.scale.linear();
    scale.domain([0, Math.max(largest, 1)]).range(range);
    var ends = kind === 'sqrt' ? [0, 0.05, 0.25, 0.5, 1].map(function (part) { return nearest(part * largest); })
                               : scale.ticks(count);
    return {at: scale, ticks: ends.map(function (v) { return {at: scale(v), text: plots.count(v)}; })};
  };

  // The number of one digit that is at most `value`.
  function nearest(value) {
    if (value <= 0) return 0;
    var power = Math.pow(10, Math.floor(Math.log(value) / Math.LN10 + 1e-9));
    return Math.floor(value / power + 1e-9) * power;
  }

  // How wide the labels of an axis are.
  plots.widest = function (ticks) { return d3.max(ticks, function (t) { return plots.textWidth(t.text); }) || 0; };

  plots.drawYAxis = function (area, scale, width, label) {
    scale.ticks.forEach(function (tick) {
      var y = plots.px(tick.at);
      area.append('line').attr({'class': 'grid', x1: 0, x2: width, y1: y, y2: y});
      area.append('text').attr({'class': 'faint', x: -8, y: y, dy: '0.35em', 'text-anchor': 'end'}).text(tick.text);
    });
    if (!label) return;
    var ends = scale.ticks.map(function (t) { return t.at; }), middle = plots.px((d3.min(ends) + d3.max(ends)) / 2);
    var at = plots.px(-plots.widest(scale.ticks) - 20);
    area.append('text').attr({'class': 'faint', 'text-anchor': 'middle',
      transform: 'translate(' + at + ',' + middle + ') rotate(-90)'}).text(label);
  };

  // The least of 1, 2, 5, 10, 20, ... that is at least `value`.
  function roundStep(value) {
    for (var power = 1;; power *= 10) {
      for (var i = 0; i < 3; ++i) if ([1, 2, 5][i] * power >= value) return [1, 2, 5][i] * power;
    }
  }

  // What an x axis takes below the plot: {ticks, turned, labels, height, left}, where `left` is how far a label stands
  // out on the left. Of ticks at equal distances, each n-th is kept, so that labels do not touch; long ones are turned.
  plots.planXAxis = function (ticks, limit, label) {
    var turned = ticks.some(function (t) { return plots.textWidth(t.text) > 70; });
    var texts = ticks.map(function (t) { return turned ? plots.shorten(t.text, limit) : t.text; });
    var widest = d3.max(texts, function (text) { return plots.textWidth(text); }) || 0;
    var distance = ticks.length > 1 ? (ticks[ticks.length - 1].at - ticks[0].at) / (ticks.length - 1) : Infinity;
    var step = roundStep((turned ? 22 : widest + 12) / distance);
    var kept = ticks.map(function (tick, i) { return {at: tick.at, text: texts[i], full: tick.text}; })
        .filter(function (tick, i) { return i % step === 0; });
    var left = d3.max(kept, function (t) {
      return plots.textWidth(t.text) * (turned ? SLOPE.cos : 0.5) - t.at;
    });
    var labels = turned ? widest * SLOPE.sin + 16 : 20;
    return {ticks: kept, turned: turned, height: labels + (label ? 20 : 0) + 4, labels: labels, left: left || 0};
  };

  var SLOPE = {angle: -40, cos: 0.767, sin: 0.643};

  plots.drawXAxis = function (area, plan, width, height, label) {
    area.append('line').attr({'class': 'axis', x1: 0, x2: width, y1: height, y2: height});
    plan.ticks.forEach(function (tick) {
      var x = plots.px(tick.at);
      area.append('line').attr({'class': 'axis', x1: x, x2: x, y1: height, y2: height + 4});
      var text = area.append('text').attr('class', 'faint').text(tick.text);
      if (plan.turned) {
        text.attr({'text-anchor': 'end', transform: 'translate(' + plots.px(x + 4) + ',' + (height + 14) + ') rotate(' +
          SLOPE.angle + ')'});
        if (tick.full !== tick.text) text.append('title').text(tick.full);
      } else {
        text.attr({'text-anchor': 'middle', x: x, y: height + 17});
      }
    });
    if (!label) return;
    area.append('text').attr({'class': 'faint', 'text-anchor': 'middle', x: plots.px(width / 2),
      y: plots.px(height + plan.labels + 14)}).text(label);
  };
})();
