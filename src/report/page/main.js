// From the JSON in the page to its sections.
(function () {
  'use strict';

  performance.mark('report-start');
  report.startThemeButton();
  const data = JSON.parse(document.getElementById('data').textContent);
  document.getElementById('title').textContent = data.title;
  report.indexNodes(data);
  report.showFindings(data);
  report.showMeasured(data);
  report.showSensitivity(data);
  report.showFigures(data);
  report.showGraph(data);
  report.showTensors(data);
  // Once all of that is on the screen.
  requestAnimationFrame(() => setTimeout(() => performance.mark('report-painted')));
})();
