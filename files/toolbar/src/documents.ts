/** The open documents of a clone: saved before git looks at them, read again after. */
import type { JupyterFrontEnd } from '@jupyterlab/application';
import { PathExt } from '@jupyterlab/coreutils';
import type { IDocumentManager } from '@jupyterlab/docmanager';
import type { DocumentRegistry } from '@jupyterlab/docregistry';
import { type Contents, ServerConnection } from '@jupyterlab/services';
import type { Widget } from '@lumino/widgets';
import type { IKept } from './api.js';
import { type IFiles, keepBoth, nameWithin, showFile } from './both.js';
import { sameWritten } from './written.js';

/** How the documents of a folder were saved. */
export interface ISaved {
  /** Where another window had saved: the file, and what holds this window's version. */
  kept: IKept[];
  /** A document that could not be saved. */
  unsaved: string | null;
}

export class Documents {
  /** @param yours - in the name of a version kept beside: "yours" */
  constructor(
    private readonly shell: JupyterFrontEnd.IShell,
    private readonly manager: IDocumentManager,
    private readonly yours: string
  ) {}

  /** The document that the learner works in, if any. */
  get current(): DocumentRegistry.Context | null {
    const widget = this.shell.currentWidget;
    return (widget && this.manager.contextForWidget(widget)) ?? null;
  }

  /** Paths of the documents of a folder that have unsaved edits. */
  edited(folder: string): string[] {
    return [...this.open()]
      .filter(context => inside(context.path, folder) && isDirty(context))
      .map(context => context.path);
  }

  /**
   * Save what has unsaved edits in a folder. Where another window has saved the same file in the
   * meantime, what this one shows is kept beside it, and then shows what the other has saved.
   */
  async saveAll(folder: string): Promise<ISaved> {
    const saved: ISaved = { kept: [], unsaved: null };
    for (const context of this.open()) {
      if (!inside(context.path, folder) || !isDirty(context)) {
        continue;
      }
      const { changed, kept } = await this.keepBoth(context, () => undefined);
      if (changed) {
        if (kept !== undefined) {
          saved.kept.push({ path: context.path, kept });
        }
        continue;
      }
      // When it fails Jupyter has said why in a dialog of its own.
      await context.save().catch(() => undefined);
      if (isDirty(context)) {
        saved.unsaved = context.path;
        break;
      }
    }
    return saved;
  }

  /**
   * Show what is on the disk now. Left alone, and returned, are documents with edits since (a cell
   * that runs on writes its output into them) and those whose file is gone.
   */
  async reload(paths: string[]): Promise<{ edited: string[]; gone: string[] }> {
    const edited: string[] = [];
    const gone: string[] = [];
    for (const context of this.open()) {
      if (!paths.includes(context.path)) {
        continue;
      }
      const now = await this.look(context.path);
      if (!now) {
        gone.push(context.path);
      } else if (isDirty(context)) {
        edited.push(context.path);
      } else {
        await showFile(context, now);
      }
    }
    return { edited, gone };
  }

  /** As `keepBoth`, for one of Jupyter's documents. */
  keepBoth(
    context: DocumentRegistry.Context,
    told: (kept: string) => void
  ): Promise<{ changed: boolean; kept?: string }> {
    return keepBoth(context, this.files, told);
  }

  private readonly files: IFiles<DocumentRegistry.Context> = {
    look: path => this.look(path),
    freeName: async path => {
      const folder = PathExt.dirname(path);
      const extension = PathExt.extname(path);
      const stem = PathExt.basename(path, extension);
      for (let count = 1; ; count += 1) {
        const mark =
          count > 1 ? ` (${this.yours} ${count})` : ` (${this.yours})`;
        const kept = PathExt.join(folder, nameWithin(stem, mark + extension));
        if (!(await this.look(kept))) {
          return kept;
        }
      }
    },
    write: async (name, context) => {
      // Not what the server calls it: with Jupytext every text is a notebook there.
      const notebook = 'cells' in context.model;
      await this.manager.services.contents.save(name, {
        type: notebook ? 'notebook' : 'file',
        format: notebook ? 'json' : 'text',
        content: notebook ? context.model.toJSON() : context.model.toString()
      });
    },
    sameWritten: async context => {
      if (!('cells' in context.model)) {
        return false;
      }
      const { contents } = this.manager.services;
      const model = await contents.get(context.path, {
        type: 'notebook',
        content: true
      });
      return sameWritten(context.model.toJSON(), model.content);
    }
  };

  /** What is known of a file on the disk; null when there is none. */
  private async look(path: string): Promise<Contents.IModel | null> {
    const { contents } = this.manager.services;
    try {
      return await contents.get(path, { content: false, hash: true });
    } catch (error) {
      if (
        error instanceof ServerConnection.ResponseError &&
        error.response.status === 404
      ) {
        return null;
      }
      throw error;
    }
  }

  /** Bring a document to the front, opened again when it was closed. */
  show(context: DocumentRegistry.Context): Widget | undefined {
    for (const widget of this.shell.widgets('main')) {
      if (this.manager.contextForWidget(widget) === context) {
        this.shell.activateById(widget.id);
        return widget;
      }
    }
    return this.manager.openOrReveal(context.path);
  }

  private open(): Set<DocumentRegistry.Context> {
    const found = new Set<DocumentRegistry.Context>();
    for (const widget of this.shell.widgets('main')) {
      const context = this.manager.contextForWidget(widget);
      if (context) {
        found.add(context);
      }
    }
    return found;
  }
}

/** What it is at this moment: it changes while we wait. */
function isDirty(context: DocumentRegistry.Context): boolean {
  return context.model.dirty;
}

function inside(path: string, folder: string): boolean {
  return folder === '' || path.startsWith(folder + '/');
}
