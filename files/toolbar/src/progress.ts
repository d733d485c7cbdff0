/** The dialog of a save or a pull: what happens, step by step, then how it ended. */
import { Dialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';
import type { IProblem } from './api.js';
import { named } from './ask.js';
import { h, paragraphs } from './dom.js';
import * as words from './words.js';

export class Progress {
  private readonly steps = h('ol', {
    class: 'atelier-Steps',
    'aria-live': 'polite'
  });
  private readonly end = h('div', {
    class: 'atelier-End',
    'aria-live': 'polite'
  });
  private readonly dialog: Dialog<unknown>;
  private readonly closed: Promise<unknown>;
  private working = true;

  constructor(
    title: string,
    private readonly trans: TranslationBundle
  ) {
    const body = new Widget({ node: h('div', {}, this.steps, this.end) });
    body.addClass('atelier-Dialog');
    this.dialog = named({
      title,
      body,
      buttons: [Dialog.okButton({ label: trans.__('Close') })],
      hasClose: false
    });
    this.dialog.addClass('atelier-Progress');
    // Before the dialog's own listener, for which there is no way out by the Escape key.
    this.dialog.node.addEventListener(
      'keydown',
      event => {
        if (event.key === 'Escape' && !this.working) {
          this.dialog.resolve(0);
        }
      },
      true
    );
    this.closed = this.dialog.launch();
    this.waitFor(true);
  }

  /** A step begins: those before it are done. */
  step(name: string): void {
    this.finish();
    this.steps.append(
      h('li', { class: 'atelier-now' }, words.step(name, this.trans))
    );
  }

  /** All went well. */
  done(...parts: Node[]): void {
    this.finish();
    this.finally(parts);
  }

  /** All went well and nothing has to be read: go away. */
  close(): void {
    this.working = false;
    this.dialog.resolve(0);
  }

  /** It stopped: what happened, what to do, and git's own words for those who help. */
  problem(found: IProblem, repository: string, ...parts: Node[]): void {
    this.steps.lastElementChild?.setAttribute('class', 'atelier-stopped');
    const said = words.problem(found, repository, this.trans);
    const alert = h(
      'div',
      { class: 'atelier-Problem', 'data-code': found.code },
      h('strong', {}, said.title),
      ...paragraphs([said.happened, said.todo])
    );
    const details = found.detail
      ? [
          h(
            'details',
            {},
            h('summary', {}, this.trans.__('Details')),
            h('pre', {}, found.detail)
          )
        ]
      : [];
    this.finally([alert, ...parts, ...details]);
  }

  /** Resolves when the learner has closed the dialog. */
  async whenClosed(): Promise<void> {
    await this.closed;
  }

  private finish(): void {
    this.steps.lastElementChild?.setAttribute('class', 'atelier-done');
  }

  private finally(parts: Node[]): void {
    this.end.replaceChildren(...parts);
    this.waitFor(false);
  }

  /** Nothing can be closed while git is at work: documents must not change under it. */
  private waitFor(working: boolean): void {
    this.working = working;
    this.dialog.node.setAttribute('aria-busy', String(working));
    const button = this.dialog.node.querySelector<HTMLButtonElement>(
      '.jp-Dialog-footer button'
    );
    if (button) {
      button.disabled = working;
      if (!working) {
        button.focus();
      }
    }
  }
}
