// Words and numbers in figures: how wide they are, and how they are made short.
var plots = plots || {};

(function () {
  'use strict';

  var NARROW = /[ijl.,:;|'!I\[\]()\/ ]/, WIDE = /[mwMW@%]/, CAPITAL = /[A-Z0-9_]/;

  // How wide a text is at most, in pixels. Guessed alike everywhere (Duktape has no fonts), on the safe side of the
  // fonts that figures ask for.
  plots.textWidth = function (text, size) {
    var sum = 0;
    for (var i = 0; i < text.length; ++i) {
      var c = text.charAt(i);
      sum += c > '\u2e80' ? 1 : NARROW.test(c) ? 0.37 : WIDE.test(c) ? 0.96 : CAPITAL.test(c) ? 0.68 : 0.62;
    }
    return sum * (size || 12);
  };

  // A text with its middle left out until it is at most `width` wide. The end of a node's name says most, so it keeps
  // more of the letters: all but the share `head` (0.4).
  plots.shorten = function (text, width, size, head) {
    text = String(text);
    if (plots.textWidth(text, size) <= width) return text;
    // Of each letter's width at least a third of the size, so that no more of a long text is looked at than may fit.
    var low = 0, high = Math.min(text.length, Math.ceil(3 * width / (size || 12))), best = '\u2026';
    while (low < high) {
      var keep = Math.ceil((low + high) / 2), first = Math.floor(keep * (head === undefined ? 0.4 : head));
      var short = text.slice(0, first) + '\u2026' + text.slice(text.length - (keep - first));
      if (plots.textWidth(short, size) <= width) {
        low = keep;
        best = short;
      } else {
        high = keep - 1;
      }
    }
    return best;
  };

  // A number with up to `digits` (4) significant ones: 0.1235, 1.2e-7, 12346. What is no number, such as "inf" of JSON,
  // as it is.
  plots.number = function (value, digits) {
    if (value === null || value === undefined) return 'n/a';
    if (typeof value !== 'number') return String(value);
    if (value !== value) return 'nan';
    if (value === Infinity || value === -Infinity) return value > 0 ? 'inf' : '-inf';
    var size = Math.abs(value);
    digits = digits || 4;
    if (size !== 0 && (size < 1e-4 || size >= 1e7)) {
      return value.toExponential(digits - 1).replace(/\.?0+e/, 'e').replace('e+', 'e');
    }
    if (size >= Math.pow(10, digits)) return String(Math.round(value));
    return String(Number(value.toPrecision(digits)));
  };

  // A count: 0, 950, 1.5k, 20M.
  plots.count = function (value) {
    var units = [[1e9, 'G'], [1e6, 'M'], [1e3, 'k']];
    for (var i = 0; i < units.length; ++i) {
      if (value >= units[i][0]) return plots.number(value / units[i][0], 3) + units[i][1];
    }
    return plots.number(value, 3);
  };

  // JSON's words for numbers that it lacks, back as numbers; null is NaN.
  plots.value = function (json) {
    if (json === 'inf') return Infinity;
    if (json === '-inf') return -Infinity;
    return typeof json === 'number' ? json : NaN;
  };

  // Coordinates to a hundredth of a pixel.
  plots.px = function (value) { return Math.round(value * 100) / 100; };
})();
