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

/** Whether a test passed, with its points as they are written in a language. */
export function test(
  one: ITest,
  lang: string,
  trans: TranslationBundle
): string {
  const numbers = new Intl.NumberFormat(lang, { maximumFractionDigits: 2 });
  const reached = numbers.format(one.reached);
  const whole = numbers.format(one.points);
  return one.passed
    ? trans.__('passed, %1 of %2', reached, whole)
    : trans.__('not yet, %1 of %2', reached, whole);
}

/** How many hidden tests passed; empty when there are none. */
export function hidden(tests: ITest[], trans: TranslationBundle): string {
  const all = tests.filter(one => one.hidden);
  const passed = all.filter(one => one.passed).length;
  return all.length
    ? trans.__('Hidden tests passed: %1 of %2.', passed, all.length)
    : '';
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
