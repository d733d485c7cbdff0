import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  differs,
  guardSaves,
  keepBoth,
  nameWithin,
  showFile
} from '../lib/both.js';

/** Texts in which what stands behind a bar is a run's. */
function sameRuns(one, other) {
  return one.split('|')[0] === other.split('|')[0];
}

/** A disk, and a document of one of its files that is open. */
class World {
  files = new Map();
  versions = 0;

  constructor(text, { hashes = true } = {}) {
    this.hashes = hashes;
    this.put('a.md', text);
    const world = this;
    this.document = {
      path: 'a.md',
      contentsModel: this.state('a.md'),
      model: {
        dirty: false,
        text,
        toString() {
          return this.text;
        },
        fromString(value) {
          this.text = value;
          this.dirty = true;
        }
      },
      async save() {
        world.put('a.md', this.model.text);
        this.contentsModel = world.state('a.md');
        this.model.dirty = false;
      },
      // As Jupyter does: edits stay edits, and an empty file is taken for none.
      async revert() {
        await null;
        this.model.text = world.files.get('a.md').text || this.model.text;
        this.contentsModel = world.state('a.md');
      }
    };
  }

  put(name, text) {
    this.versions += 1;
    this.files.set(name, { text, version: this.versions });
  }

  state(name) {
    const file = this.files.get(name);
    return (
      file && {
        type: 'file',
        size: file.text.length,
        hash: this.hashes ? `hash of ${file.text}` : null,
        last_modified: new Date(1e12 + 1000 * file.version).toISOString()
      }
    );
  }

  type(text) {
    this.document.model.text = text;
    this.document.model.dirty = true;
  }

  text(name) {
    return this.files.get(name)?.text;
  }

  /** Jupyter's answers; `before` is called with what is asked for. */
  ops(before = () => undefined) {
    return {
      look: async path => {
        before('look');
        return this.state(path) ?? null;
      },
      freeName: async () => 'a (yours).md',
      write: async (name, document) => {
        const text = document.model.toString();
        before('write');
        this.put(name, text);
      },
      sameWritten: async document => {
        before('compare');
        return sameRuns(document.model.text, this.text(document.path));
      }
    };
  }
}

for (const hashes of [true, false]) {
  test(`what two have changed is kept twice, ${hashes ? 'by hash' : 'by time'}`, async () => {
    const world = new World('old', { hashes });
    world.type('mine');
    world.put('a.md', 'theirs');
    const told = [];
    const found = await keepBoth(world.document, world.ops(), kept =>
      told.push([kept, world.document.model.text])
    );
    assert.deepEqual(found, { changed: true, kept: 'a (yours).md' });
    assert.deepEqual(told, [['a (yours).md', 'mine']]);
    assert.equal(world.text('a (yours).md'), 'mine');
    assert.equal(world.text('a.md'), 'theirs');
    assert.equal(world.document.model.text, 'theirs');
    assert.equal(world.document.model.dirty, false);
  });
}

test('two runs of the same notebook make no second file: the last one stays', async () => {
  const world = new World('text');
  world.type('text|run here');
  world.put('a.md', 'text|run there');
  const found = await keepBoth(world.document, world.ops(), assert.fail);
  assert.deepEqual(found, { changed: true });
  assert.equal(world.files.size, 1);
  assert.equal(world.text('a.md'), 'text|run here');
  assert.equal(world.document.model.text, 'text|run here');
  assert.equal(world.document.model.dirty, false);
});

test('what nobody else has changed is left to Jupyter', async () => {
  const world = new World('old');
  world.type('mine');
  const found = await keepBoth(world.document, world.ops(), assert.fail);
  assert.deepEqual(found, { changed: false });
  assert.equal(world.files.size, 1);
  world.files.delete('a.md'); // deleted elsewhere: Jupyter makes it again
  assert.equal(
    (await keepBoth(world.document, world.ops(), assert.fail)).changed,
    false
  );
});

test('a time that is written a little differently is no change', () => {
  const at = last_modified => ({ type: 'file', last_modified });
  const known = at('2026-01-01T10:00:00.400000Z');
  assert.equal(differs(known, at('2026-01-01T10:00:00.9Z')), false);
  assert.equal(differs(known, at('2026-01-01T12:00:01+01:00')), true);
  assert.equal(differs(known, at('2026-01-01T09:00:00Z')), false);
  assert.equal(differs(null, known), false);
});

test('without edits here there is nothing to keep', async () => {
  const world = new World('old');
  world.put('a.md', 'theirs');
  const found = await keepBoth(world.document, world.ops(), assert.fail);
  assert.deepEqual(found, { changed: true });
  assert.equal(world.document.model.text, 'theirs');
  assert.equal(world.files.size, 1);
});

test('what is typed while the version is written is in it', async () => {
  const world = new World('old');
  world.type('mine');
  world.put('a.md', 'theirs');
  let writes = 0;
  const ops = world.ops(what => {
    if (what === 'write' && (writes += 1) === 1) {
      world.type('mine, and a word more');
    }
  });
  await keepBoth(world.document, ops, () => undefined);
  assert.equal(world.text('a (yours).md'), 'mine, and a word more');
  assert.equal(writes, 2);
});

test('an output that does not end keeps nobody waiting', async () => {
  const world = new World('old');
  world.type('mine');
  world.put('a.md', 'theirs');
  const ops = world.ops(what => {
    if (what === 'write') {
      world.type(`${world.document.model.text}.`);
    }
  });
  const found = await keepBoth(world.document, ops, () => undefined);
  assert.equal(found.changed, true);
  assert.match(world.text('a (yours).md'), /^mine\.+$/);
});

test('a version that cannot be written stays on the screen, and nothing is overwritten', async () => {
  const world = new World('old');
  world.type('mine');
  world.put('a.md', 'theirs');
  const full = world.ops(what => {
    if (what === 'write') {
      throw new Error('disk full');
    }
  });
  await assert.rejects(keepBoth(world.document, full, assert.fail));
  assert.equal(world.document.model.text, 'mine');
  assert.equal(world.document.model.dirty, true);
  assert.equal(world.text('a.md'), 'theirs');
});

test('a file that was emptied elsewhere is shown empty', async () => {
  const world = new World('old');
  world.put('a.md', '');
  await showFile(world.document, world.state('a.md'));
  assert.equal(world.document.model.text, '');
  assert.equal(world.document.model.dirty, false);
});

test('a save looks first, saves at the same time look once', async () => {
  const world = new World('old');
  let looks = 0;
  guardSaves(world.document, async () => {
    looks += 1;
    await null;
    return (await keepBoth(world.document, world.ops(), () => undefined))
      .changed;
  });
  world.type('mine');
  world.put('a.md', 'theirs');
  await Promise.all([world.document.save(), world.document.save()]);
  assert.equal(looks, 1);
  assert.equal(world.text('a.md'), 'theirs');
  assert.equal(world.text('a (yours).md'), 'mine');
  world.type('theirs, and mine');
  await world.document.save();
  assert.equal(world.text('a.md'), 'theirs, and mine');
  assert.equal(looks, 2);
});

test('a name is as long as a file system lets it be', () => {
  assert.equal(nameWithin('a', ' (yours).md'), 'a (yours).md');
  const long = nameWithin('é'.repeat(125), ' (à vous).md');
  assert.ok(new TextEncoder().encode(long).length <= 255);
  assert.match(long, /^é+ \(à vous\)\.md$/);
  assert.equal(nameWithin('😀'.repeat(70), '.md'), `${'😀'.repeat(63)}.md`);
});
