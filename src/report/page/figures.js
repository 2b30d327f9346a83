// Figures in the page: drawn as wide as their place, when they come into sight.
(function () {
  'use strict';

  const AHEAD = '300px', waiting = new Set();

  const seen = new IntersectionObserver((entries) => {
    for (const entry of entries) if (entry.isIntersecting) start(entry.target);
  }, {rootMargin: AHEAD});
  const resized = new ResizeObserver((entries) => {
    for (const entry of entries) entry.target.redraw();
  });

  function start(place) {
    seen.unobserve(place);
    waiting.delete(place);
    resized.observe(place);
  }

  window.addEventListener('beforeprint', () => {
    for (const place of [...waiting]) {
      start(place);
      place.redraw();
    }
  });

  // A place that draws `figure()` whenever its width changes.
  report.figure = (figure) => {
    const place = report.element('div', {class: 'figure-place'});
    let width = 0;
    place.redraw = (again) => {
      const now = Math.floor(place.clientWidth);
      if (now < 1 || (now === width && !again)) return;
      width = now;
      place.replaceChildren(plots.draw(document, figure(), width));
      place.style.minHeight = 0;
    };
    waiting.add(place);
    seen.observe(place);
    return place;
  };

  // A histogram with a choice of the scale of its counts.
  report.histogram = (figure) => {
    let scale = figure.count_scale || 'log';
    const place = report.figure(() => ({...figure, count_scale: scale}));
    const buttons = ['log', 'sqrt', 'linear'].map((name) => report.button(name, () => {
      scale = name;
      for (const button of buttons) button.setAttribute('aria-pressed', button.textContent === scale);
      place.redraw(true);
    }, {class: 'quiet', 'aria-pressed': name === scale, 'aria-label': name + ' scale of counts'}));
    return report.element('div', {}, place,
        report.element('div', {class: 'buttons small'}, report.element('span', {class: 'faint'}, 'Counts'), buttons));
  };

  report.anyFigure = (figure) => figure.kind === 'histogram' ? report.histogram(figure) : report.figure(() => figure);

  // The figures of the report, under the titles of their sections.
  report.showFigures = (data) => {
    const sections = new Map();
    for (const {section, figure} of data.figures || []) {
      if (!sections.has(section)) sections.set(section, []);
      sections.get(section).push(figure);
    }
    let id = 0;
    for (const [title, figures] of sections) {
      report.section('figures-' + id++, title, report.element('div', {class: 'figures'},
          figures.map((figure) => report.element('div', {class: 'card'}, report.anyFigure(figure)))));
    }
  };
})();
