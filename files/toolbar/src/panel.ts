/** The side panel with the result of a check. */
import type { TranslationBundle } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';
import type { ICheck, IPart, IProblem, IRun } from './api.js';
import { h, link, paragraphs } from './dom.js';
import { checkIcon } from './icons.js';
import type { IPlace } from './outdated.js';
import * as verdicts from './verdicts.js';

/** What the panel can do to the document that was checked. */
export interface IDocument {
  /** Its name, as learners call it. */
  readonly name: string;
  canShow(place: IPlace): boolean;
  show(place: IPlace): void;
}

export class CheckPanel extends Widget {
  /** Heard when the panel shows something new. */
  private readonly status = h('p', {
    class: 'atelier-CheckStatus',
    role: 'status'
  });
  private readonly heading = h('h2', { tabindex: '-1' });
  private readonly file = h('p', { class: 'atelier-help' });
  private readonly stale = h('p', { class: 'atelier-Kept', role: 'status' });
  private readonly result = h('div', { class: 'atelier-CheckResult' });

  /**
   * @param trans - the learner's language
   * @param close - puts the panel away
   */
  constructor(
    private readonly trans: TranslationBundle,
    close: () => void
  ) {
    super();
    this.id = 'atelier-check';
    this.addClass('atelier-Check');
    this.title.icon = checkIcon;
    this.title.caption = trans.__('Check my answer');
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', trans.__('Check my answer'));
    const button = h(
      'button',
      { type: 'button', class: 'atelier-Jump' },
      trans.__('Close')
    );
    button.addEventListener('click', close);
    this.node.append(
      this.heading,
      this.file,
      this.status,
      this.stale,
      this.result,
      button
    );
    this.clear();
  }

  /** Show no result. */
  clear(): void {
    this.heading.textContent = this.trans.__('Check my answer');
    this.file.textContent = '';
    this.setStale('');
    this.ended('', 'none');
  }

  /** The former result is gone at once: nobody takes it for the new one. */
  checking(document: IDocument): void {
    this.clear();
    this.file.textContent = document.name;
    this.node.setAttribute('aria-busy', 'true');
    this.say(this.trans.__('Checking your answer…'), 'checking');
  }

  /** Show a result. */
  tell(found: ICheck, document: IDocument): void {
    const { trans } = this;
    this.heading.textContent = found.title;
    this.ended(
      verdicts.verdict(found),
      found.verdict,
      ...paragraphs([found.problem, ...found.warnings]),
      ...this.run(found.run, document),
      ...this.hint(found.hint),
      ...this.tests(found, document),
      ...this.parts(found, document),
      ...paragraphs([found.attempts, found.grade.words]),
      h(
        'p',
        { class: 'atelier-help' },
        trans.__('Version checked: saved on %1.', found.saved)
      ),
      this.page(found.page, trans.__('See the whole check'))
    );
  }

  /** Say why there is no result. */
  problem(found: IProblem): void {
    const { trans } = this;
    const page = found.page
      ? [this.page(found.page, trans.__('Open the page of this exercise'))]
      : [];
    this.ended(verdicts.noResult(found, trans), 'problem', ...page);
  }

  /** Mark the result as one of an earlier version; empty words take the mark away. */
  setStale(words: string): void {
    if (this.stale.textContent !== words) {
      this.stale.textContent = words;
    }
    this.stale.hidden = !words;
  }

  protected override onActivateRequest(): void {
    this.heading.focus();
  }

  private ended(words: string, state: string, ...parts: Node[]): void {
    this.node.setAttribute('aria-busy', 'false');
    this.result.replaceChildren(...parts);
    this.say(words, state);
  }

  private say(words: string, state: string): void {
    this.status.dataset.state = state;
    this.status.textContent = words;
  }

  private hint(text: string): Node[] {
    return text
      ? [
          h('h3', {}, this.trans.__('Hint')),
          h('p', { class: 'atelier-Hint' }, text)
        ]
      : [];
  }

  private run(run: IRun | null, document: IDocument): Node[] {
    return run
      ? [
          h(
            'div',
            { class: 'atelier-Test', 'data-state': 'failed' },
            ...paragraphs([run.words]),
            ...(run.error ? [h('p', {}, h('code', {}, run.error))] : []),
            ...this.jump(run, '', document)
          )
        ]
      : [];
  }

  private tests(found: ICheck, document: IDocument): Node[] {
    const { trans } = this;
    const items = found.tests.map(one =>
      h(
        'li',
        { class: 'atelier-Test', 'data-state': one.state },
        h('span', { 'aria-hidden': 'true' }, `${verdicts.mark(one)} `),
        h('strong', {}, one.name),
        verdicts.test(one, trans),
        ...paragraphs([one.say, verdicts.yours(one, trans)]),
        ...this.jump({ cell: one.cell, line: null }, one.name, document)
      )
    );
    const list = items.length
      ? [h('ul', { class: 'atelier-Tests' }, ...items)]
      : [];
    return items.length || found.hidden
      ? [h('h3', {}, trans.__('Tests')), ...list, ...paragraphs([found.hidden])]
      : [];
  }

  private parts(found: ICheck, document: IDocument): Node[] {
    const { trans } = this;
    if (!found.parts.length) {
      return [];
    }
    return [
      h('h3', {}, trans.__('What to look at')),
      ...paragraphs([found.about_parts]),
      h(
        'ul',
        { class: 'atelier-Tests' },
        ...found.parts.map(one => this.part(one, document))
      ),
      ...paragraphs([verdicts.leftOut(found.parts_left_out, trans)])
    ];
  }

  private part(one: IPart, document: IDocument): Node {
    return h(
      'li',
      { class: 'atelier-Test', 'data-state': 'failed' },
      h('strong', {}, one.name),
      ` ${one.words}`,
      ...paragraphs(one.notes),
      ...this.jump(one, one.name, document)
    );
  }

  private jump(place: IPlace, name: string, document: IDocument): Node[] {
    if (!document.canShow(place)) {
      return [];
    }
    const words = verdicts.jump(place, this.trans);
    const button = h(
      'button',
      {
        type: 'button',
        class: 'atelier-Jump',
        'aria-label': name ? `${words}, ${name}` : words
      },
      words
    );
    button.addEventListener('click', () => document.show(place));
    return [button];
  }

  /** In a course page's frame the cookies are the frame's own: a new tab would have none. */
  private page(address: string, text: string): Node {
    const found = link(address, text);
    if (window.self !== window.top) {
      found.removeAttribute('target');
    }
    return h('p', {}, found);
  }
}
