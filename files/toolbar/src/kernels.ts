/** A cell that is run while its kernel is on its way waits for it: Jupyter would forget the run. */
import type { ISessionContext } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';

/** What of a session context is looked at here. */
export type KernelContext = Pick<
  ISessionContext,
  | 'session'
  | 'kernelDisplayStatus'
  | 'kernelPreference'
  | 'specsManager'
  | 'statusChanged'
  | 'kernelChanged'
  | 'disposed'
  | 'isDisposed'
>;

/** Whether a kernel starts that cannot be sent anything yet. */
export function isStarting(context: KernelContext): boolean {
  switch (context.kernelDisplayStatus) {
    case 'initializing':
    case 'restarting':
      return true;
    case 'starting': // a kernel that starts queues what it is sent, one that is replaced does not
      return context.session?.kernel?.status !== 'starting';
    default:
      return false;
  }
}

/**
 * Wait until no kernel is starting: there is one, it failed, or nobody needs it any more.
 *
 * @param unneeded - asked at each change of the kernel's state
 */
export function started(
  context: KernelContext,
  unneeded: () => boolean
): Promise<void> {
  return new Promise(resolve => {
    const look = () => {
      if (context.isDisposed || unneeded() || !isStarting(context)) {
        context.statusChanged.disconnect(look);
        context.kernelChanged.disconnect(look);
        context.disposed.disconnect(look);
        resolve();
      }
    };
    context.statusChanged.connect(look);
    context.kernelChanged.connect(look);
    context.disposed.connect(look);
    look();
  });
}

/** Say that the kernel starts, by the name of its language where it is known: "Python". */
export function startingText(
  context: KernelContext,
  trans: TranslationBundle
): string {
  const preferred = context.kernelPreference;
  const specs = context.specsManager.specs?.kernelspecs;
  const name = context.session?.kernel?.name ?? preferred.name ?? '';
  const language = specs?.[name]?.language ?? preferred.language;
  return language
    ? trans.__(
        '%1 is starting… This cell runs as soon as it is ready.',
        language.charAt(0).toUpperCase() + language.slice(1)
      )
    : trans.__(
        'The kernel is starting… This cell runs as soon as it is ready.'
      );
}
