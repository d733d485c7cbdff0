/** Runs cells as JupyterLab does, except that none is run before its kernel can be sent code. */
import type { ICodeCellModel } from '@jupyterlab/cells';
import { type INotebookCellExecutor, runCell } from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';
import { h } from './dom.js';
import { isStarting, started, startingText } from './kernels.js';

export class Executor implements INotebookCellExecutor {
  /** @param trans - the learner's language */
  constructor(private readonly trans: TranslationBundle) {}

  /**
   * Run a cell, after its kernel has started.
   *
   * @returns whether the cell was run
   */
  async runCell(
    options: INotebookCellExecutor.IRunCellOptions
  ): Promise<boolean> {
    const { cell, sessionContext: context } = options;
    if (cell.model.type === 'code' && context && isStarting(context)) {
      const model = cell.model as ICodeCellModel;
      const notice = h('div', { class: 'atelier-Starting', role: 'status' });
      notice.textContent = startingText(context, this.trans);
      cell.node.append(notice);
      model.executionState = 'running'; // [*], as for a cell that waits for another one
      try {
        await started(context, () => cell.isDisposed);
      } finally {
        notice.remove();
      }
      if (cell.isDisposed) {
        return false;
      }
      model.executionState = 'idle';
    }
    return runCell(options);
  }
}
