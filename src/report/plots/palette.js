// Colours and styles of figures and page. Everything in plots/ is ES5: it runs in browsers and in Duktape.
var plots = plots || {};

(function () {
  'use strict';

  // The hues of Okabe and Ito ("Color Universal Design", 2008), which people with any common colour blindness tell
  // apart; darkened or lightened until they contrast with the paper.
  plots.palette = {
    light: {
      paper: '#ffffff', ground: '#f5f6f8', ink: '#1c2128', faint: '#59636e', grid: '#e3e7ec', axis: '#8c959f',
      line: '#d5dae0', accent: '#0a5ea8', soft: '#e8f1fa', area: '#8fbfe6', band: '#c9dff2',
      s0: '#0a66b0', s1: '#c44f00', s2: '#00795a', s3: '#a6437f', s4: '#8a6400', s5: '#1f7fb8', s6: '#444c56'
    },
    dark: {
      paper: '#171b21', ground: '#0f1216', ink: '#e6e9ed', faint: '#a3adb8', grid: '#2a313a', axis: '#6b7683',
      line: '#343c46', accent: '#6db8f2', soft: '#1d2c3b', area: '#3a75a6', band: '#28496a',
      s0: '#5fb0ee', s1: '#ff9b54', s2: '#3fc79a', s3: '#e391c0', s4: '#e6bb4a', s5: '#93d3f7', s6: '#c3cbd4'
    }
  };

  plots.SERIES = 7;
  var DASHES = ['', '7 3', '2 3', '9 3 2 3'];

  // The class of the n-th series. Past the last colour they start again, with dashes.
  plots.seriesClass = function (n) { return 's' + n % plots.SERIES; };
  plots.seriesDash = function (n) { return DASHES[Math.floor(n / plots.SERIES) % DASHES.length] || null; };

  // The rules of all figures; color(name) says a colour as CSS, `scope` stands before every selector.
  plots.css = function (color, scope) {
    var rules = [
      ['.paper', 'fill:' + color('paper')],
      ['text', 'fill:' + color('ink')],
      ['.faint', 'fill:' + color('faint')],
      ['.grid', 'stroke:' + color('grid')],
      ['.axis', 'stroke:' + color('axis')],
      ['.limit', 'stroke:' + color('ink')],
      ['.area', 'fill:' + color('area')],
      ['.band', 'fill:' + color('band')]
    ];
    for (var i = 0; i < plots.SERIES; ++i) {
      rules.push(['.stroke.s' + i, 'stroke:' + color('s' + i)], ['.fill.s' + i, 'fill:' + color('s' + i)]);
    }
    return rules.map(function (rule) { return scope + rule[0] + '{' + rule[1] + '}'; }).join('');
  };

  var SHAPES = 'text{font-family:system-ui,-apple-system,"Segoe UI",Roboto,Helvetica,Arial,"DejaVu Sans",sans-serif;' +
      'font-size:12px}.title{font-size:15px;font-weight:600}.grid,.axis,.limit,.stroke{fill:none}' +
      '.limit{stroke-width:1.25;stroke-dasharray:5 3}.stroke{stroke-width:1.75;stroke-linejoin:round}' +
      '.hover{fill:none;pointer-events:all}';

  // For a page, whose root element has the colours as variables.
  plots.pageCss = function () {
    return plots.scoped(SHAPES, 'svg.figure ') +
        plots.css(function (name) { return 'var(--' + name + ')'; }, 'svg.figure ');
  };

  plots.scoped = function (css, scope) {
    return css.replace(/[^{}]+(?=\{)/g, function (selectors) {
      return selectors.split(',').map(function (selector) { return scope + selector; }).join(',');
    });
  };

  // For a file of its own: colours as such, since not every reader of SVG knows variables.
  plots.fileCss = function () {
    function of(theme) { return plots.css(function (name) { return plots.palette[theme][name]; }, ''); }
    return SHAPES + of('light') + '@media (prefers-color-scheme:dark){' + of('dark') + '}';
  };
})();
