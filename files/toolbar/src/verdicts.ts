/** The result of a check in a learner's words. Nothing here touches the page. */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { ICheck, IProblem, ITest } from './api.js';

const MARKS: Record<ICheck['verdict'], string> = {
  expected: '✔',
  passed: '✔',
  not_yet: '✎'
};

/** Score and verdict in one line. */
export function verdict(found: ICheck): string {
  return `${found.score} ${MARKS[found.verdict]} ${found.words}`;
}

/** Why there is no result: the desk's own sentence where it has one. */
export function noResult(found: IProblem, trans: TranslationBundle): string {
  switch (found.code) {
    case 'check_refused':
      return found.words ?? '';
    case 'no_exercise':
      return trans.__('The course has no exercise for this file.');
    default:
      return trans.__(
        'The check cannot be made at the moment. Nothing is lost: try again in a minute.'
      );
  }
}

const STATES: Record<ITest['state'], string> = {
  passed: '✔',
  partly: '◐',
  failed: '✎',
  pending: '⧗'
};

/** The mark of a test, for those who see it. */
export function mark(one: ITest): string {
  return STATES[one.state];
}

/** What a test says after its name. */
export function test(one: ITest, trans: TranslationBundle): string {
  return trans.__('%1: %2', '', `${one.words} (${one.points})`);
}

/** The answer's own value, where it is not the right one. */
export function yours(one: ITest, trans: TranslationBundle): string {
  return one.yours ? trans.__('Your value: %1', one.yours) : '';
}

/** Parts that are not listed. */
export function leftOut(count: number, trans: TranslationBundle): string {
  return count
    ? trans._n(
        'One more is on the page of the exercise.',
        '%1 more are on the page of the exercise.',
        count
      )
    : '';
}

/** What a button that leads to a place is called. */
export function jump(
  place: { cell: number | null; line: number | null },
  trans: TranslationBundle
): string {
  return place.cell !== null
    ? trans.__('Go to cell %1', place.cell)
    : trans.__('Go to line %1', place.line);
}
