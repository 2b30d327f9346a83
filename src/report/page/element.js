// Making elements. Text goes in as text, never as markup, since names in a model may be anything.
(function () {
  'use strict';

  // An element with attributes (a function is a listener) and children, which are elements or text; null is left out.
  report.element = (tag, attributes, ...children) => {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) {
      if (typeof value === 'function') {
        made.addEventListener(name, value);
      } else if (value !== null && value !== undefined) {
        made.setAttribute(name, value);
      }
    }
    made.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
    return made;
  };

  report.button = (text, click, attributes) => report.element('button', {type: 'button', click, ...attributes}, text);

  // A section of the page, and its entry in the list of contents.
  report.section = (id, title, ...children) => {
    document.getElementById('contents').append(report.element('a', {href: '#' + id}, title));
    const section = report.element('section', {id, 'aria-labelledby': id + '-title'},
        report.element('h2', {id: id + '-title'}, title), ...children);
    document.getElementById('main').append(section);
    return section;
  };

  report.facts = (pairs) => report.element('dl', {class: 'facts'},
      pairs.map(([name, value]) => [report.element('dt', {}, name), report.element('dd', {}, value)]));

  // Puts text on the clipboard; where the browser refuses, by selecting it.
  async function copy(text) {
    try {
      await navigator.clipboard.writeText(text);
    } catch (error) {
      const area = report.element('textarea', {style: 'position:fixed;opacity:0'});
      area.value = text;
      document.body.append(area);
      area.select();
      document.execCommand('copy');
      area.remove();
    }
  }

  // Lines to paste, with a button that copies them.
  report.paste = (title, text) => {
    const button = report.button('Copy', async () => {
      await copy(text);
      button.textContent = 'Copied';
      setTimeout(() => { button.textContent = 'Copy'; }, 1500);
    }, {'aria-label': 'Copy: ' + title});
    return report.element('div', {class: 'paste'},
        report.element('div', {class: 'buttons'}, report.element('span', {class: 'small faint'}, title), button),
        report.element('pre', {tabindex: 0}, text));
  };
})();
