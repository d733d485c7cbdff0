/** JupyterLab in a narrow frame: its side panels make room for the document. */
import type { ILabShell } from '@jupyterlab/application';

/** Below this width, in CSS pixels, the side panels would leave no document to see. */
const NARROW = 640;

/** Whether a side panel leaves no document to see. */
export function isNarrow(): boolean {
  return window.innerWidth < NARROW;
}

/**
 * Fold the side panels when the window is, or becomes, narrow, and when another document is shown
 * there. A click opens them again.
 */
export function foldWhenNarrow(shell: ILabShell): void {
  let narrow = false;
  const fold = (): void => {
    if (narrow) {
      shell.collapseLeft();
      shell.collapseRight();
    }
  };
  const look = (): void => {
    const before = narrow;
    narrow = isNarrow();
    if (!before) {
      fold();
    }
  };
  shell.currentChanged.connect(fold);
  window.addEventListener('resize', look);
  void shell.restored.then(look);
}
