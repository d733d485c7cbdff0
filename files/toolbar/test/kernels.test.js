import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers';
import { Signal } from '@lumino/signaling';
import { isStarting, started, startingText } from '../lib/kernels.js';

const fill = (text, ...values) =>
  text.replace(/%(\d)/g, (_, n) => values[n - 1]);
const trans = { __: fill };

/** What a notebook knows of its kernel, as JupyterLab's SessionContext tells it. */
class Context {
  statusChanged = new Signal(this);
  kernelChanged = new Signal(this);
  disposed = new Signal(this);
  isDisposed = false;
  session = null;
  kernelPreference = {};
  specsManager = { specs: null };

  constructor(kernelDisplayStatus, kernelStatus) {
    this.become(kernelDisplayStatus, kernelStatus);
  }

  become(kernelDisplayStatus, kernelStatus) {
    this.kernelDisplayStatus = kernelDisplayStatus;
    this.session = kernelStatus ? { kernel: { status: kernelStatus } } : null;
    this.statusChanged.emit(kernelDisplayStatus);
  }
}

/** Whether a promise is settled, once all that is ready to run has run. */
async function isSettled(promise) {
  let settled = false;
  void promise.then(() => (settled = true));
  await new Promise(setImmediate);
  return settled;
}

test('a kernel that cannot be sent anything yet is starting', () => {
  assert.ok(isStarting(new Context('initializing')));
  assert.ok(isStarting(new Context('restarting', 'idle')));
  assert.ok(isStarting(new Context('starting', 'idle'))); // another one takes its place
  assert.ok(isStarting(new Context('starting')));
});

test('a kernel that queues what it is sent, or is none, is not waited for', () => {
  for (const status of ['idle', 'busy', 'connecting', 'disconnected', 'dead']) {
    assert.ok(!isStarting(new Context(status, 'idle')), status);
  }
  assert.ok(!isStarting(new Context('starting', 'starting')));
  assert.ok(!isStarting(new Context('unknown')));
});

test('the wait ends when the kernel is there', async () => {
  const context = new Context('initializing');
  const wait = started(context, () => false);
  assert.ok(!(await isSettled(wait)));
  context.become('starting'); // the request is on its way
  assert.ok(!(await isSettled(wait)));
  context.become('connecting', 'unknown');
  assert.ok(await isSettled(wait));
});

test('cells that wait run in the order in which they were run', async () => {
  const context = new Context('initializing');
  const ran = [];
  const waits = [1, 2, 3].map(async cell => {
    await started(context, () => false);
    ran.push(cell);
  });
  context.become('idle', 'idle');
  await Promise.all(waits);
  assert.deepEqual(ran, [1, 2, 3]);
});

test('the wait ends when the kernel fails, or nobody needs it any more', async () => {
  const failed = new Context('initializing');
  const first = started(failed, () => false);
  failed.become('unknown');
  assert.ok(await isSettled(first));

  const closed = new Context('initializing');
  const second = started(closed, () => false);
  closed.isDisposed = true;
  closed.disposed.emit();
  assert.ok(await isSettled(second));

  let deleted = false;
  const waiting = new Context('initializing');
  const third = started(waiting, () => deleted);
  deleted = true;
  waiting.become('initializing');
  assert.ok(await isSettled(third));
});

test('what starts is called by its language', () => {
  const context = new Context('initializing');
  context.kernelPreference = { name: 'ir', language: 'R' };
  context.specsManager.specs = {
    kernelspecs: { python3: { language: 'python' } }
  };
  assert.match(startingText(context, trans), /^R is starting…/);
  context.kernelPreference = { name: 'python3' };
  assert.match(startingText(context, trans), /^Python is starting…/);
  context.kernelPreference = {};
  assert.match(startingText(context, trans), /^The kernel is starting…/);
});
