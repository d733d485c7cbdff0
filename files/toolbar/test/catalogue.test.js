import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

const at = path => new URL(path, import.meta.url);
const catalogue = JSON.parse(
  readFileSync(
    at('../atelier_toolbar/locale/fr_FR/LC_MESSAGES/atelier_toolbar.json')
  )
);
const TEXT = /'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"/.source;
const CALL = new RegExp(`trans\\.(__|_n)\\(\\s*(${TEXT})`, 'g');

/** Each text the code asks for: key -> how many forms its translation has. */
function asked() {
  const found = new Map();
  for (const name of readdirSync(at('../src'))) {
    const source = readFileSync(at(`../src/${name}`), 'utf8');
    for (const [, kind, text] of source.matchAll(CALL)) {
      found.set(text.slice(1, -1), kind === '_n' ? 2 : 1);
    }
  }
  return found;
}

const holes = text => new Set(text.match(/%\d/g));

test('every text has its French, and French has no other', () => {
  const { '': header, ...french } = catalogue;
  assert.equal(header.language, 'fr-FR');
  assert.deepEqual(Object.keys(french).sort(), [...asked().keys()].sort());
});

test('a translation has as many forms, and fills the same places', () => {
  for (const [text, forms] of asked()) {
    assert.equal(catalogue[text].length, forms, text);
    const last = catalogue[text].at(-1);
    const wanted = forms === 2 ? new Set(['%1']) : holes(text);
    assert.deepEqual(holes(last), wanted, text);
  }
});

test('French signs stay on the line of their word', () => {
  // Before : ; ! ? and » and after «, French has a space that must not be broken.
  const { '': header, ...french } = catalogue;
  assert.ok(header);
  const loose = Object.values(french)
    .flat()
    .filter(text =>
      / [:;!?»]|« |\d (?:[kMGT]o\b)|%\d (?:[kMGT]o\b)/.test(text)
    );
  assert.deepEqual(loose, []);
});
