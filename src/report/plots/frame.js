// What every figure has around its plot: paper, title, legend and margins.
var plots = plots || {};

(function () {
  'use strict';

  var SVG = 'http://www.w3.org/2000/svg', EDGE = 14;

  // Lays the legend's entries [{name, draw}] out in rows of at most `width`.
  function legendRows(entries, width) {
    var rows = [], x = Infinity;
    entries.forEach(function (entry) {
      var name = plots.shorten(entry.name, Math.min(width - 34, 320));
      var needs = plots.textWidth(name) + 28 + 16;
      if (x + needs - 16 > width) {
        rows.push([]);
        x = 0;
      }
      rows[rows.length - 1].push({x: x, name: name, full: entry.name, mark: entry.mark});
      x += needs;
    });
    return rows;
  }

  function drawLegend(svg, rows, top) {
    rows.forEach(function (row, i) {
      row.forEach(function (entry) {
        var g = svg.append('g').attr('transform', 'translate(' + plots.px(EDGE + entry.x) + ',' + (top + 18 * i) + ')');
        entry.mark(g);
        var text = g.append('text').attr({x: 28, y: 4}).text(entry.name);
        if (entry.full !== entry.name) text.append('title').text(entry.full);
      });
    });
  }

  // Marks of legend entries.
  plots.lineMark = function (kind, dash) {
    return function (g) {
      g.append('line').attr({'class': kind, x1: 0, x2: 22, y1: 0, y2: 0, 'stroke-dasharray': dash || null});
    };
  };
  plots.areaMark = function (kind) {
    return function (g) { g.append('rect').attr({'class': kind, x: 0, y: -6, width: 22, height: 12}); };
  };

  // The entry for thresholds, [] where there are none.
  plots.thresholdEntry = function (thresholds) {
    if (!thresholds || !thresholds.length) return [];
    var name = (thresholds.length > 1 ? 'thresholds ' : 'threshold ') +
        thresholds.map(function (v) { return plots.number(v); }).join(', ');
    return [{name: name, mark: plots.lineMark('limit')}];
  };

  // The lines of a text that fit `width`.
  function wrap(text, width) {
    var lines = [], line = '';
    text.split(/\s+/).forEach(function (word) {
      var longer = line ? line + ' ' + word : word;
      if (line && plots.textWidth(longer) > width) {
        lines.push(line);
        line = word;
      } else {
        line = longer;
      }
    });
    return lines.concat(line).map(function (l) { return plots.shorten(l, width); });
  }

  // Starts a figure `options.width` wide, with a plot that is `height` high, has `left` beside and `below` under it.
  // Returns {svg, area}: area is the group of the plot.
  plots.frame = function (document, figure, options) {
    var inner = options.width - 2 * EDGE, top = EDGE;
    var svg = d3.select(document.createElementNS(SVG, 'svg'));
    var title = figure.title || '', heading = title ? plots.shorten(title, inner, 15) : '';
    var notes = [figure.subtitle, figure.note].filter(Boolean).map(function (t) { return wrap(t, inner); });
    notes = Array.prototype.concat.apply([], notes);
    var rows = legendRows(options.legend || [], inner);
    var headingY = top + 12;
    if (heading) top += 24;
    var notesY = top + 8;
    top += 17 * notes.length;
    if (heading || notes.length) top += 4;
    var legendY = top + 8;
    if (rows.length) top += 18 * rows.length + 4;
    top += 10;
    var height = plots.px(top + options.height + options.below + EDGE);
    svg.attr({'class': 'figure', width: options.width, height: height,
      viewBox: '0 0 ' + options.width + ' ' + height, role: 'img'});
    svg.append('title').text(title || figure.kind);
    svg.append('rect').attr({'class': 'paper', width: options.width, height: height});
    if (heading) svg.append('text').attr({'class': 'title', x: EDGE, y: headingY}).text(heading);
    notes.forEach(function (line, i) {
      svg.append('text').attr({'class': 'faint', x: EDGE, y: notesY + 17 * i + 4}).text(line);
    });
    drawLegend(svg, rows, legendY);
    var area = svg.append('g').attr('transform', 'translate(' + plots.px(EDGE + options.left) + ',' + top + ')');
    return {svg: svg, area: area};
  };

  // An invisible column over a plot that says something to a pointer that rests on it.
  plots.hover = function (area, begin, end, height, text) {
    area.append('rect').attr({'class': 'hover', x: plots.px(begin), y: 0, width: plots.px(Math.max(0, end - begin)),
      height: height}).append('title').text(text);
  };

  // How wide a plot is between margins that `left` and `right` take.
  plots.innerWidth = function (width, left, right) { return plots.px(width - 2 * EDGE - left - right); };

  // Room for the labels of a y axis.
  plots.yRoom = function (scale, label) { return plots.px(plots.widest(scale.ticks) + 10 + (label ? 20 : 0)); };

  // Draws a figure that C++ has checked (report/figure_check.h) `width` pixels wide, and gives back its <svg>.
  plots.draw = function (document, figure, width) { return plots.kinds[figure.kind](document, figure, width).node(); };

  plots.kinds = {};
})();
