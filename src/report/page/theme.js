// The page's colours: as the reader's system prefers, until its button is pressed. Runs before the page is there, so
// that it never shows in other colours. Files of page/ run in browsers only, and use what these have had since 2022.
var report = {};

(function () {
  'use strict';

  const dark = window.matchMedia('(prefers-color-scheme: dark)');
  const listeners = [];
  let chosen = null;

  report.theme = () => chosen || (dark.matches ? 'dark' : 'light');
  report.color = (name) => plots.palette[report.theme()][name];
  // Calls back whenever colours change.
  report.onTheme = (listener) => listeners.push(listener);

  function apply() {
    const theme = report.theme(), root = document.documentElement;
    root.dataset.theme = theme;
    root.style.colorScheme = theme;
    for (const [name, color] of Object.entries(plots.palette[theme])) root.style.setProperty('--' + name, color);
    const button = document.getElementById('theme');
    if (button) button.textContent = theme === 'dark' ? 'Light' : 'Dark';
    for (const listener of listeners) listener();
  }

  const style = document.createElement('style');
  style.textContent = plots.pageCss();
  document.head.append(style);
  dark.addEventListener('change', apply);
  apply();

  report.startThemeButton = () => {
    document.getElementById('theme').addEventListener('click', () => {
      chosen = report.theme() === 'dark' ? 'light' : 'dark';
      apply();
    });
    apply();
  };
})();
