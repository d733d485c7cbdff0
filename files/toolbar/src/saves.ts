/** Ctrl+S on a file that somebody else has changed: nobody is asked which version is to be lost. */
import { Dialog } from '@jupyterlab/apputils';
import { PathExt } from '@jupyterlab/coreutils';
import type { DocumentRegistry } from '@jupyterlab/docregistry';
import type { TranslationBundle } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';
import { ask } from './ask.js';
import { guardSaves } from './both.js';
import type { Documents } from './documents.js';
import { h, paragraphs } from './dom.js';
import type { IStates } from './states.js';
import * as words from './words.js';

export class Saves {
  private readonly guarded = new WeakSet<DocumentRegistry.Context>();

  constructor(
    private readonly documents: Documents,
    private readonly states: IStates,
    private readonly trans: TranslationBundle
  ) {}

  /** Keep both versions from now on; a document in several views is one. */
  guard(context: DocumentRegistry.Context): void {
    if (!this.guarded.has(context)) {
      this.guarded.add(context);
      guardSaves(context, () => this.settle(context));
    }
  }

  private async settle(context: DocumentRegistry.Context): Promise<boolean> {
    const { trans } = this;
    const name = PathExt.basename(context.path);
    try {
      const { changed } = await this.documents.keepBoth(context, kept =>
        this.say(trans.__('Both versions are kept'), [
          words.otherWindow(name, PathExt.basename(kept), trans)
        ])
      );
      if (changed) {
        await this.states.refresh('not asked');
      }
      return changed;
    } catch (error) {
      console.warn('atelier-toolbar: not kept', error);
      const said = words.problem({ code: 'not_kept', path: name }, '', trans);
      this.say(said.title, [said.happened, said.todo]);
      // What Jupyter itself says when somebody has chosen not to save.
      throw Object.assign(new Error('Cancel', { cause: error }), {
        name: 'ModalCancelError'
      });
    }
  }

  private say(title: string, texts: string[]): void {
    const body = new Widget({ node: h('div', {}, ...paragraphs(texts)) });
    body.addClass('atelier-Dialog');
    const buttons = [Dialog.cancelButton({ label: this.trans.__('Close') })];
    void ask({ title, body, buttons });
  }
}
