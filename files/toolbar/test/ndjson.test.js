import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lines } from '../lib/ndjson.js';

/** The lines read from a stream that arrives in chunks of so many bytes. */
async function read(text, size) {
  const bytes = new TextEncoder().encode(text);
  const stream = new ReadableStream({
    start(controller) {
      for (let at = 0; at < bytes.length; at += size) {
        controller.enqueue(bytes.slice(at, at + size));
      }
      controller.close();
    }
  });
  const found = [];
  for await (const line of lines(stream)) {
    found.push(line);
  }
  return found;
}

test('lines are whole however the network cuts them', async () => {
  const text = '{"a":"é€😀"}\n\n{"b":1}\n{"c":"no end"}';
  for (let size = 1; size <= 40; size += 1) {
    assert.deepEqual(await read(text, size), [
      '{"a":"é€😀"}',
      '{"b":1}',
      '{"c":"no end"}'
    ]);
  }
});

test('an empty answer has no line', async () => {
  assert.deepEqual(await read('', 1), []);
});
