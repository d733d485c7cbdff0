import { Dialog } from '@jupyterlab/apputils';

/** A dialog whose title is also its name for screen readers. */
export function named<T>(
  options: Partial<Dialog.IOptions<T>> & { title: string }
): Dialog<T> {
  const dialog = new Dialog<T>(options);
  dialog.node.setAttribute('aria-label', options.title);
  return dialog;
}

/** Show such a dialog and wait for the answer. */
export function ask<T>(
  options: Partial<Dialog.IOptions<T>> & { title: string }
): Promise<Dialog.IResult<T>> {
  return named(options).launch();
}
