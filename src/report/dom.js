// As much of a browser's document as D3 and plots/ need to build an SVG, for Duktape. ES5.
var documentOfFile = (function () {
  'use strict';

  function Element(owner, namespace, name) {
    this.ownerDocument = owner;
    this.namespaceURI = namespace;
    this.tagName = name;
    this.attributes = [];
    this.childNodes = [];
    this.text = '';
  }

  Element.prototype.setAttribute = function (name, value) {
    for (var i = 0; i < this.attributes.length; ++i) {
      if (this.attributes[i][0] === name) {
        this.attributes[i][1] = String(value);
        return;
      }
    }
    this.attributes.push([name, String(value)]);
  };
  Element.prototype.removeAttribute = function (name) {
    this.attributes = this.attributes.filter(function (attribute) { return attribute[0] !== name; });
  };
  Element.prototype.appendChild = function (child) {
    this.childNodes.push(child);
    return child;
  };
  // Where the element holds text and elements, the text stands first, as in <text>name<title>…</title></text>.
  Object.defineProperty(Element.prototype, 'textContent', {
    get: function () { return this.text; },
    set: function (text) {
      this.text = String(text);
      this.childNodes = [];
    }
  });

  var ESCAPES = {'&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', '\'': '&#39;'};

  // XML has no words at all for most control characters, U+FFFE and U+FFFF.
  function escaped(text) {
    return text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd')
        .replace(/[&<>"']/g, function (c) { return ESCAPES[c]; });
  }

  Element.prototype.toXml = function () {
    var xml = '<' + this.tagName;
    this.attributes.forEach(function (attribute) { xml += ' ' + attribute[0] + '="' + escaped(attribute[1]) + '"'; });
    var inner = escaped(this.text) + this.childNodes.map(function (child) { return child.toXml(); }).join('');
    return inner ? xml + '>' + inner + '</' + this.tagName + '>' : xml + '/>';
  };

  var document = {
    createElementNS: function (namespace, name) { return new Element(document, namespace, name); }
  };
  document.documentElement = new Element(document, null, 'svg');
  return document;
})();

// The whole job of a context: a figure's JSON to the text of a file.
function figureFile(json) {
  var svg = plots.draw(documentOfFile, JSON.parse(json), 760);
  var style = documentOfFile.createElementNS(svg.namespaceURI, 'style');
  style.textContent = plots.fileCss();
  svg.setAttribute('xmlns', svg.namespaceURI);
  svg.childNodes.splice(1, 0, style);
  return svg.toXml() + '\n';
}
