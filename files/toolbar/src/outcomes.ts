/** What a save or a pull came to, as a dialog shows it. */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { IResult } from './api.js';
import { h, link, paragraphs } from './dom.js';
import * as words from './words.js';

/** What was done: sentences, the files that a pull brought, a link to what was saved. */
export function success(
  kind: 'save' | 'pull',
  result: IResult,
  repository: string,
  trans: TranslationBundle
): Node[] {
  const parts: Node[] = paragraphs(words.outcome(kind, result, trans));
  if (kind === 'pull' && result.updated?.length) {
    const names = result.updated.map(path =>
      h('li', {}, words.shortName(path, repository))
    );
    parts.push(h('ul', { class: 'atelier-Files' }, ...names));
  }
  if (result.commit_url) {
    parts.push(
      h('p', {}, link(result.commit_url, trans.__('See this save in GitLab')))
    );
  }
  return parts;
}

/** The files of which both versions were kept. */
export function keptBeside(
  end: IResult,
  repository: string,
  trans: TranslationBundle
): Node[] {
  return (end.kept_beside ?? []).map(({ path, kept }) =>
    remark(
      words.keptBeside(
        words.shortName(path, repository),
        words.shortName(kept, repository),
        trans
      )
    )
  );
}

export function remark(text: string): Node {
  return h('p', { class: 'atelier-Kept' }, text);
}
