/** What the panel of a check says, and when its result is an old one. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { textOf } from '../lib/outdated.js';
import * as verdicts from '../lib/verdicts.js';
import { english, french, plain } from './languages.js';

test('the verdict begins with the score', () => {
  const found = { score: '62 %', verdict: 'not_yet', words: 'Not yet.' };
  assert.equal(verdicts.verdict(found), '62 % ✎ Not yet.');
});

test('a test says how it ended, and the value that is not right', () => {
  const one = { state: 'partly', words: 'partly', points: '1 of 2 points' };
  const french_ = { ...one, words: 'en partie', points: '1,5 point sur 2' };
  assert.equal(verdicts.test(one, english), ': partly (1 of 2 points)');
  assert.equal(
    plain(verdicts.test(french_, french)),
    ' : en partie (1,5 point sur 2)'
  );
  assert.equal(verdicts.yours({ ...one, yours: '' }, english), '');
  assert.equal(
    verdicts.yours({ ...one, yours: '3' }, english),
    'Your value: 3'
  );
  const marks = ['passed', 'partly', 'failed', 'pending'].map(state =>
    verdicts.mark({ state })
  );
  assert.equal(new Set(marks).size, 4);
});

test('what is not listed is counted', () => {
  assert.equal(verdicts.leftOut(0, english), '');
  assert.match(verdicts.leftOut(1, english), /^One more is/);
  assert.match(verdicts.leftOut(3, french), /^3 autres sont/);
});

test('a button says where it leads', () => {
  const at = (cell, line) => verdicts.jump({ cell, line }, english);
  assert.equal(at(3, 12), 'Go to cell 3');
  assert.equal(at(null, 12), 'Go to line 12');
});

test('why there is no result, in the words of the desk where it has some', () => {
  const said = (found, trans) => plain(verdicts.noResult(found, trans));
  const refused = { code: 'check_refused', words: 'This exercise is closed.' };
  assert.equal(said(refused, english), 'This exercise is closed.');
  assert.match(said({ code: 'no_exercise' }, english), /has no exercise/);
  for (const code of ['check_away', 'connection']) {
    assert.match(said({ code }, english), /^The check cannot be made/);
    assert.match(said({ code }, french), /Rien n’est perdu : réessayez/);
  }
});

test('an answer is what was written, whatever it printed', () => {
  const cell = (type, source, outputs) => ({
    type,
    outputs,
    sharedModel: { getSource: () => source }
  });
  const notebook = (...cells) => ({ cells, toString: () => 'all of it' });
  const before = textOf(notebook(cell('code', 'a = 1', [])));
  const run = textOf(notebook(cell('code', 'a = 1', ['1'])));
  const changed = textOf(notebook(cell('code', 'a = 2', [])));
  const split = textOf(notebook(cell('code', 'a'), cell('code', ' = 1')));
  assert.equal(run, before);
  assert.notEqual(changed, before);
  assert.notEqual(split, before);
  assert.notEqual(textOf(notebook(cell('markdown', 'a = 1'))), before);
  assert.equal(textOf({ toString: () => 'text' }), 'text');
});
