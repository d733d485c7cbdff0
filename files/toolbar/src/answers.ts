/** What a learner has answered in a document, and the way to a place in it. */
import type { DocumentRegistry } from '@jupyterlab/docregistry';
import type { Widget } from '@lumino/widgets';
import { type IPlace, textOf } from './outdated.js';

/** What is used of what shows a notebook (`Notebook`). */
interface INotebook {
  readonly widgets: readonly Widget[];
  activeCellIndex: number;
  mode: 'command' | 'edit';
  deselectAll(): void;
  scrollToCell(cell: Widget, align: 'center'): Promise<void>;
}

/** What is used of what shows a text (`FileEditor`). */
interface ITextEditor {
  editor: {
    setCursorPosition(position: { line: number; column: number }): void;
    focus(): void;
  };
}

/** The answer as it is now: without outputs, which a run changes and nobody has to mend. */
export function answerOf(context: DocumentRegistry.Context): string {
  return textOf(context.model);
}

/** Whether a place can be shown in a document. */
export function canShow(
  context: DocumentRegistry.Context,
  place: IPlace
): boolean {
  return 'cells' in context.model ? place.cell !== null : place.line !== null;
}

/** Show a place, and let the learner go on there. */
export async function goTo(widget: Widget, place: IPlace): Promise<void> {
  const { content } = widget as Widget & { content?: unknown };
  if (typeof content !== 'object' || !content) {
    return;
  }
  if ('scrollToCell' in content) {
    const notebook = content as INotebook;
    const index = (place.cell ?? 1) - 1;
    const cell = notebook.widgets[index];
    if (cell) {
      notebook.deselectAll();
      notebook.mode = 'command';
      notebook.activeCellIndex = index;
      await notebook.scrollToCell(cell, 'center');
      cell.node.focus();
    }
  } else if ('editor' in content) {
    const { editor } = content as ITextEditor;
    editor.setCursorPosition({ line: (place.line ?? 1) - 1, column: 0 });
    editor.focus();
  }
}
