import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sameWritten } from '../lib/written.js';

const cell = (source, more = {}) => ({
  cell_type: 'code',
  id: 'a',
  metadata: {},
  source,
  outputs: [],
  execution_count: null,
  ...more
});
const notebook = (cells, metadata = {}) => ({
  cells,
  metadata,
  nbformat: 4,
  nbformat_minor: 5
});
const before = notebook([cell('x = 1\nx')], { title: 'T' });

test('what Jupyter writes by itself is not what people wrote', () => {
  const run = cell(['x = 1\n', 'x'], {
    id: 'another',
    outputs: [{ output_type: 'stream', name: 'stdout', text: '1' }],
    execution_count: 7,
    metadata: { scrolled: true, jupyter: { outputs_hidden: true } }
  });
  const kernel = { kernelspec: { name: 'python3' }, language_info: {} };
  assert.ok(
    sameWritten(before, notebook([run], { ...kernel, title: 'T', widgets: {} }))
  );
});

test('what people wrote is', () => {
  for (const other of [
    notebook([cell('x = 2\nx')], { title: 'T' }),
    notebook([cell('x = 1\nx')], { title: 'U' }),
    notebook([cell('x = 1\nx'), cell('')], { title: 'T' }),
    notebook([cell('x = 1\nx', { cell_type: 'raw' })], { title: 'T' }),
    notebook([cell('x = 1\nx', { metadata: { tags: ['a'] } })], { title: 'T' }),
    notebook([cell('x = 1\nx', { attachments: { a: {} } })], { title: 'T' })
  ]) {
    assert.ok(!sameWritten(before, other));
    assert.ok(!sameWritten(other, before));
  }
});

test('what is no notebook is never the same', () => {
  for (const other of [null, 'text', [], {}, { cells: 1 }]) {
    assert.ok(!sameWritten(other, other));
  }
});
