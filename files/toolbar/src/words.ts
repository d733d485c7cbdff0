/** States, steps and problems in a learner's words. Nothing here touches the page. */
import type { TranslationBundle } from '@jupyterlab/translation';
import type {
  FileState,
  IChange,
  IProblem,
  IResult,
  ISpace,
  IStatus
} from './api.js';

/** What the badge shows: a state, its mark, its words. */
export interface IBadge {
  state: FileState | 'unknown';
  mark: string;
  text: string;
}

const MARKS: Record<IBadge['state'], string> = {
  saved: '✓',
  here: '●',
  newer: '↓',
  both: '⇅',
  new: '+',
  ignored: '–',
  kept_beside: '‖',
  unknown: '…'
};

/** The state of a file whose unsaved edits, if any, count as changes here. */
export function stateOf(
  status: IStatus | null,
  dirty: boolean
): IBadge['state'] {
  const state = status?.file?.state ?? 'unknown';
  if (dirty && state === 'saved') {
    return 'here';
  }
  return dirty && state === 'newer' ? 'both' : state;
}

export function badge(
  status: IStatus | null,
  dirty: boolean,
  trans: TranslationBundle
): IBadge {
  const state = stateOf(status, dirty);
  const texts: Record<IBadge['state'], string> = {
    saved: trans.__('Saved in GitLab'),
    here: trans.__('Changes here only'),
    newer: trans.__('GitLab has newer'),
    both: trans.__('Changes here, and GitLab has newer'),
    new: trans.__('Not in GitLab yet'),
    ignored: trans.__('Never sent to GitLab'),
    kept_beside: trans.__('Your version, kept beside'),
    unknown: trans.__('Looking…')
  };
  const text =
    status?.gitlab === 'unreachable'
      ? trans.__('%1 (GitLab does not answer)', texts[state])
      : texts[state];
  return { state, mark: MARKS[state], text };
}

/** Whether what GitLab has, and so what is checked, lacks something of what the learner sees. */
export function isBehindTheScreen(
  status: IStatus | null,
  dirty: boolean
): boolean {
  const state = stateOf(status, dirty);
  return dirty || !(state === 'saved' || state === 'newer');
}

/** A path as seen from the clone: what a learner calls a file. */
export function shortName(path: string, repository: string): string {
  return repository && path.startsWith(repository + '/')
    ? path.slice(repository.length + 1)
    : path;
}

/** What happened to one file since the last save. */
export function change(
  one: IChange,
  repository: string,
  trans: TranslationBundle
): string {
  switch (one.change) {
    case 'new':
      return trans.__('new, not in GitLab yet');
    case 'deleted':
      return trans.__('deleted here');
    case 'renamed':
      return trans.__('renamed, was %1', shortName(one.was ?? '', repository));
    default:
      return trans.__('changed since the last save');
  }
}

/** A file and what happened to it, in two parts: the name stands out. */
export function fileLine(
  one: IChange,
  repository: string,
  trans: TranslationBundle
): [string, string] {
  const said = trans.__('%1: %2', '', change(one, repository, trans));
  return [shortName(one.path, repository), said];
}

/** The clone in sentences: GitLab first, then what waits on either side. */
export function summary(status: IStatus, trans: TranslationBundle): string[] {
  const said: string[] = [];
  if (status.gitlab === 'unreachable') {
    said.push(
      trans.__(
        'GitLab does not answer at the moment. You can go on working, and save: your work is kept here and the next save sends it.'
      )
    );
  }
  if (status.gitlab === 'denied') {
    said.push(
      trans.__(
        'GitLab gives no access to your space at the moment. Your work is kept here.'
      )
    );
  }
  if (status.busy) {
    said.push(trans.__('A save or a pull is under way in another window.'));
  }
  if (status.changes.length) {
    said.push(
      trans._n(
        'One file has changed since the last save:',
        '%1 files have changed since the last save:',
        status.changes.length
      )
    );
  } else {
    said.push(trans.__('No file has changed since the last save.'));
  }
  return said;
}

/** What waits to be sent or brought; empty when nothing does. */
export function waiting(status: IStatus, trans: TranslationBundle): string[] {
  const said: string[] = [];
  if (status.ahead) {
    said.push(
      trans._n(
        'One save is kept here and not in GitLab yet. Save to GitLab sends it.',
        '%1 saves are kept here and not in GitLab yet. Save to GitLab sends them.',
        status.ahead
      )
    );
  }
  if (status.behind) {
    said.push(
      trans._n(
        'GitLab has one newer save. Pull brings it here.',
        'GitLab has %1 newer saves. Pull brings them here.',
        status.behind
      )
    );
  }
  return said;
}

export function step(name: string, trans: TranslationBundle): string {
  switch (name) {
    case 'documents':
      return trans.__('Saving your open documents');
    case 'commit':
      return trans.__('Keeping your changes');
    case 'fetch':
      return trans.__('Looking for what is newer in GitLab');
    case 'merge':
      return trans.__('Joining it with your work');
    case 'push':
      return trans.__('Sending to GitLab');
    default:
      return name;
  }
}

/** What save and pull achieved, in sentences. */
export function outcome(
  kind: 'save' | 'pull',
  result: IResult,
  trans: TranslationBundle
): string[] {
  if (kind === 'save') {
    const said = [trans.__('Your work is saved in GitLab.')];
    if (result.merged) {
      said.push(
        trans.__(
          'GitLab had newer work: it has been joined with yours, and both are here and in GitLab.'
        )
      );
    }
    return said;
  }
  if (result.up_to_date) {
    return [
      trans.__('Nothing new in GitLab: you have the latest of everything.')
    ];
  }
  const brought = result.updated?.length ?? 0;
  return brought
    ? [
        trans._n(
          'One file has been brought up to date from GitLab:',
          '%1 files have been brought up to date from GitLab:',
          brought
        )
      ]
    : [trans.__('What is newer in GitLab is here now.')];
}

/** Both versions of a file that could not be merged. */
export function keptBeside(
  path: string,
  kept: string,
  trans: TranslationBundle
): string {
  return trans.__(
    '“%1” changed here and in GitLab in the same place. Both versions are kept: “%1” is GitLab’s, “%2” is yours. Copy what you want to keep into “%1”, then save.',
    path,
    kept
  );
}

/** Both versions of a file that two windows, or a program, have changed. */
export function otherWindow(
  path: string,
  kept: string,
  trans: TranslationBundle
): string {
  return trans.__(
    '“%1” was also changed elsewhere, in another window or by a program. Both versions are kept: “%1” is what was saved there, “%2” is what you had here.',
    path,
    kept
  );
}

/** A document with edits since: what is on the disk is not what is on the screen. */
export function leftAlone(path: string, trans: TranslationBundle): string {
  return trans.__(
    '“%1” has changed on the screen in the meantime and was not read again. To see what came from GitLab, choose File, “Reload … from Disk”; to keep what is on the screen, save it under another name first.',
    path
  );
}

/** An open document whose file was deleted in GitLab. */
export function gone(path: string, trans: TranslationBundle): string {
  return trans.__(
    '“%1” was deleted in GitLab and is gone here too. It is still on the screen: save it to have it back.',
    path
  );
}

/** A size in the units of a file manager; `round` lets a size stay above a limit it is above. */
export function size(
  bytes: number,
  round: (size: number) => number,
  trans: TranslationBundle
): string {
  return bytes >= 1_000_000
    ? trans.__('%1 MB', round(bytes / 1_000_000))
    : trans.__('%1 kB', round(bytes / 1000));
}

/** A part of a space, as its limit is written: in units of 1024, with a tenth of the largest. */
function share(bytes: number, trans: TranslationBundle): string {
  const [whole, tenth] = (bytes / 1024 ** 3).toFixed(1).split('.');
  return bytes >= 1024 ** 3 - 1024 ** 2 * 50
    ? trans.__('%1.%2 GB', whole, tenth)
    : trans.__('%1 MB', Math.ceil(bytes / 1024 ** 2));
}

/** What fills a space, in sentences. */
function fullSpace(space: ISpace, trans: TranslationBundle): string[] {
  const isFull = space.size - space.used < space.size / 50;
  const said = [
    isFull
      ? trans.__(
          '%1 of %2 are in use.',
          share(space.used, trans),
          share(space.size, trans)
        )
      : trans.__('%1 of %2 files are there.', space.files, space.most_files)
  ];
  if (space.largest.length) {
    const listed = space.largest.map(([path, bytes]) =>
      trans.__('“%1” (%2)', path, share(bytes, trans))
    );
    said.push(trans.__('The largest files are %1.', listed.join(', ')));
  }
  return said;
}

/** A problem as a sentence that says what happened, and one that says what to do. */
export function problem(
  found: IProblem,
  repository: string,
  trans: TranslationBundle
): { title: string; happened: string; todo: string } {
  const name = shortName(found.path ?? '', repository);
  switch (found.code) {
    case 'too_large':
      return {
        title: trans.__('Too large for GitLab'),
        happened: (found.files ?? [])
          .map(file =>
            trans.__(
              '“%1” weighs %2; at most %3 can be saved.',
              shortName(file.path, repository),
              size(file.size, Math.ceil, trans),
              size(file.limit, Math.floor, trans)
            )
          )
          .join(' '),
        todo: trans.__(
          'Nothing has been saved yet. Save again without this file (take its tick away), or make it smaller: data that a program can download or compute again need not be saved.'
        )
      };
    case 'nothing':
      return {
        title: trans.__('Nothing to save'),
        happened: trans.__(
          'Nothing has changed since the last save: GitLab has all of it.'
        ),
        todo: ''
      };
    case 'offline':
      return {
        title: trans.__('GitLab does not answer'),
        happened: found.committed
          ? trans.__('Your work is saved here, but GitLab does not answer.')
          : trans.__('GitLab does not answer at the moment.'),
        todo: found.committed
          ? trans.__(
              'Nothing is lost. Go on working; the next save sends everything.'
            )
          : trans.__('Nothing has changed here. Try again in a few minutes.')
      };
    case 'too_often':
      return {
        title: trans.__('GitLab is very busy'),
        happened: found.committed
          ? trans.__(
              'Your work is saved here, but GitLab takes no more requests for a moment.'
            )
          : trans.__('GitLab takes no more requests for a moment.'),
        todo: found.committed
          ? trans.__(
              'Nothing is lost. Go on working; the next save sends everything.'
            )
          : trans.__('Nothing has changed here. Try again in a few minutes.')
      };
    case 'refused':
      return {
        title: trans.__('GitLab refused'),
        happened: trans.__('Your work is saved here, but GitLab refused it.'),
        todo: trans.__(
          'Nothing is lost. Try again; if GitLab refuses again, show the details to your teachers.'
        )
      };
    case 'busy':
      return {
        title: trans.__('One moment'),
        happened: trans.__(
          'Another save or pull is under way, perhaps in another window.'
        ),
        todo: trans.__('Wait until it has ended, then try again.')
      };
    case 'denied':
      return {
        title: trans.__('GitLab does not let you in'),
        happened: found.committed
          ? trans.__(
              'Your work is saved here, but GitLab gives no access to your space.'
            )
          : trans.__('GitLab gives no access to your space.'),
        todo: trans.__(
          'Nothing is lost. Open GitLab once from the course page, then try again; if that does not help, tell your teachers.'
        )
      };
    case 'moving':
      return {
        title: trans.__('GitLab keeps changing'),
        happened: trans.__(
          'While your work was being sent, something newer arrived in GitLab, several times.'
        ),
        todo: trans.__('Nothing is lost. Try again in a moment.')
      };
    case 'no_branch':
    case 'unfinished':
      return {
        title: trans.__('Something begun in a terminal'),
        happened:
          found.code === 'no_branch'
            ? trans.__('The folder of the course is not on a branch.')
            : trans.__(
                'A “%1” was begun in a terminal and has not ended.',
                found.operation ?? 'git'
              ),
        todo: trans.__(
          'Nothing has changed here. Finish it in the terminal, or ask your teachers for help, then try again.'
        )
      };
    case 'no_identity':
      return {
        title: trans.__('Who are you?'),
        happened: trans.__('Your name is not known here.'),
        todo: trans.__(
          'Nothing has changed here. Stop your server, come back from the course page, then try again.'
        )
      };
    case 'not_a_clone':
      return {
        title: trans.__('Not in your course folder'),
        happened: trans.__(
          'This file does not lie in the folder that is kept in GitLab.'
        ),
        todo: trans.__('Move it into the folder of the course, then save.')
      };
    case 'disk_full':
      return {
        title: trans.__('Your disk space is full'),
        happened: [
          trans.__('There is no room left for your files.'),
          ...(found.space ? fullSpace(found.space, trans) : [])
        ].join(' '),
        todo: trans.__(
          'Delete files that you no longer need (right click, “Delete”), then try again.'
        )
      };
    case 'too_much':
      return {
        title: trans.__('Too much at once for GitLab'),
        happened: trans.__(
          'Your work is saved here, but GitLab does not take so much at once.'
        ),
        todo: trans.__(
          'Nothing is lost. Show this to your teachers: large data files belong elsewhere, or GitLab has to take more.'
        )
      };
    case 'bad_name':
      return {
        title: trans.__('A name that cannot be saved'),
        happened: trans.__('The name of “%1” cannot be kept in GitLab.', name),
        todo: trans.__('Nothing has been saved. Rename the file, then save.')
      };
    case 'unsaved':
      return {
        title: trans.__('A document is not saved'),
        happened: trans.__('“%1” still has edits that are not saved.', name),
        todo: trans.__(
          'Nothing has been sent or brought. Save this document (Ctrl+S), then try again.'
        )
      };
    case 'not_kept':
      return {
        title: trans.__('A document is not saved'),
        happened: trans.__(
          '“%1” was also changed elsewhere, and your version could not be kept beside it.',
          name
        ),
        todo: trans.__(
          'Nothing has been overwritten, and your version is still on the screen. Delete files that you no longer need if your disk space is full, then save again.'
        )
      };
    case 'connection':
      return {
        title: trans.__('Jupyter does not answer'),
        happened: trans.__(
          'The connection to your Jupyter server was lost on the way.'
        ),
        todo: trans.__(
          'What was saved stays saved. When Jupyter answers again, press Status to see where things stand.'
        )
      };
    default:
      return {
        title: trans.__('It did not work'),
        happened: trans.__('Something unexpected happened.'),
        todo: trans.__(
          'Nothing is lost: your files are here. Try again; if it happens again, show the details to your teachers.'
        )
      };
  }
}
