import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as words from '../lib/words.js';

const fill = (text, ...values) =>
  text.replace(/%(\d)/g, (_, n) => values[n - 1]);
const trans = {
  __: fill,
  _n: (one, many, n) => fill(n === 1 ? one : many, n)
};
const status = (state, more = {}) => ({
  repository: { path: 'course', branch: 'main', web_url: null },
  gitlab: 'reached',
  ahead: 0,
  behind: 0,
  file: { path: 'course/a.md', state },
  changes: [],
  busy: false,
  check: null,
  ...more
});

test('edits that Jupyter has not saved are changes here', () => {
  const seen = ['saved', 'here', 'newer', 'both', 'new', 'ignored'].map(
    state => words.badge(status(state), true, trans).state
  );
  assert.deepEqual(seen, ['here', 'here', 'both', 'both', 'new', 'ignored']);
  assert.equal(words.badge(status('saved'), false, trans).state, 'saved');
  assert.equal(words.badge(null, true, trans).state, 'unknown');
});

test('no two states look or read alike', () => {
  const badges = ['saved', 'here', 'newer', 'both', 'new', 'ignored'].map(
    state => words.badge(status(state), false, trans)
  );
  assert.equal(new Set(badges.map(one => one.mark)).size, badges.length);
  assert.equal(new Set(badges.map(one => one.text)).size, badges.length);
});

test('a badge says that GitLab does not answer', () => {
  const away = status('here', { gitlab: 'unreachable' });
  assert.match(words.badge(away, false, trans).text, /does not answer/);
});

test('a file is called by its name in the course folder', () => {
  assert.equal(words.shortName('course/data/a.csv', 'course'), 'data/a.csv');
  assert.equal(words.shortName('courses/a.csv', 'course'), 'courses/a.csv');
  assert.equal(words.shortName('a.csv', ''), 'a.csv');
});

test('what is too large is named, with its size and the limit', () => {
  const files = [{ path: 'course/d.csv', size: 12_345_678, limit: 5_000_000 }];
  const said = words.problem({ code: 'too_large', files }, 'course', trans);
  assert.equal(
    said.happened,
    '“d.csv” weighs 13 MB; at most 5 MB can be saved.'
  );
});

test('every problem the server part names has its own words', () => {
  const codes =
    'not_a_clone no_branch unfinished no_identity nothing too_large bad_name offline too_often denied refused busy disk_full moving'.split(
      ' '
    );
  const happened = code =>
    words.problem({ code, path: 'x' }, '', trans).happened;
  const other = happened('failed');
  for (const code of codes) {
    assert.notEqual(happened(code), other, code);
  }
});

test('what is not in GitLab yet is not checked: the learner is asked first', () => {
  const asked = (state, dirty) => words.isBehindTheScreen(status(state), dirty);
  const states = ['saved', 'newer', 'here', 'both', 'new', 'kept_beside'];
  assert.deepEqual(
    states.map(state => asked(state, false)),
    [false, false, true, true, true, true]
  );
  assert.ok(states.every(state => asked(state, true)));
});
