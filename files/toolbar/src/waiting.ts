/** A cell that is run before its kernel can be sent code waits for it. */
import { CodeCell } from '@jupyterlab/cells';
import type { TranslationBundle } from '@jupyterlab/translation';
import { h } from './dom.js';
import { isStarting, started, startingText } from './kernels.js';

/**
 * Let `CodeCell.execute` wait for kernels that start.
 *
 * JupyterLab's `INotebookCellExecutor` is meant for such things. But a plugin takes its place only
 * where the stock one is disabled, and then no notebook opens when this extension cannot be loaded.
 */
export function waitForKernels(trans: TranslationBundle): void {
  const { execute } = CodeCell;
  const patient: typeof execute = async (cell, context, metadata) => {
    if (isStarting(context)) {
      const notice = h('div', { class: 'atelier-Starting', role: 'status' });
      notice.textContent = startingText(context, trans);
      cell.node.append(notice);
      cell.model.executionState = 'running'; // [*], as for a cell that waits for another one
      try {
        await started(context, () => cell.isDisposed);
      } finally {
        notice.remove();
      }
      if (cell.isDisposed) {
        return;
      }
      cell.model.executionState = 'idle';
    }
    return execute(cell, context, metadata);
  };
  Object.assign(CodeCell, { execute: patient });
}
