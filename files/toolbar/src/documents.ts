/** The open documents of a clone: saved before git looks at them, read again after. */
import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { IDocumentManager } from '@jupyterlab/docmanager';
import type { DocumentRegistry } from '@jupyterlab/docregistry';

export class Documents {
  constructor(
    private readonly shell: JupyterFrontEnd.IShell,
    private readonly manager: IDocumentManager
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
   * Save what has unsaved edits in a folder, and return the path of the first document that
   * still has some: where Jupyter asks about a conflict, the learner may have cancelled.
   */
  async saveAll(folder: string): Promise<string | null> {
    for (const context of this.open()) {
      if (inside(context.path, folder) && isDirty(context)) {
        // Jupyter has said why in a dialog of its own.
        await context.save().catch(() => undefined);
        if (isDirty(context)) {
          return context.path;
        }
      }
    }
    return null;
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
      if (!(await this.exists(context.path))) {
        gone.push(context.path);
      } else if (isDirty(context)) {
        edited.push(context.path);
      } else {
        await context.revert();
      }
    }
    return { edited, gone };
  }

  private async exists(path: string): Promise<boolean> {
    const { contents } = this.manager.services;
    try {
      await contents.get(path, { content: false });
      return true;
    } catch {
      return false;
    }
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
