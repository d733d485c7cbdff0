/** The bar of one document: its state in words, and a button per command. */
import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { TranslationBundle } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';
import { h } from './dom.js';
import type { IDocumentState } from './states.js';
import { badge } from './words.js';
import { COMMANDS } from './commands.js';

export class Bar extends Widget {
  private readonly line = h('div', { class: 'atelier-Bar', role: 'toolbar' });
  private readonly mark = h('span', { 'aria-hidden': 'true' });
  private readonly words = h('span');
  private readonly badge = h(
    'span',
    { class: 'atelier-Badge' },
    this.mark,
    this.words
  );
  private readonly sizes = new ResizeObserver(() => this.makeRoom());

  /**
   * @param state - of the document; hidden while it is in no clone
   * @param commands - the application's
   * @param ids - of the commands, in the order of their buttons
   * @param activate - makes the bar's document the current one
   * @param trans - the learner's language
   */
  constructor(
    private readonly state: IDocumentState,
    commands: JupyterFrontEnd['commands'],
    ids: readonly string[],
    activate: () => void,
    private readonly trans: TranslationBundle
  ) {
    super();
    this.addClass('atelier-BarPlace');
    this.line.setAttribute('aria-label', trans.__('GitLab'));
    this.line.append(this.badge);
    for (const id of ids) {
      const long = commands.label(id);
      const button = h(
        'button',
        {
          type: 'button',
          class: 'atelier-Button',
          'aria-label': long,
          title: commands.caption(id),
          'data-command': id
        },
        h('span', { class: 'atelier-long' }, long),
        h('span', { class: 'atelier-short' }, commands.iconLabel(id))
      );
      const icon = commands.icon(id);
      if (icon && typeof icon !== 'string') {
        const place = h('span', {
          class: 'atelier-icon',
          'aria-hidden': 'true'
        });
        icon.render(place);
        button.prepend(place);
      }
      button.addEventListener('click', () => {
        activate();
        void commands.execute(id);
      });
      this.line.append(button);
    }
    this.buttons.forEach((button, place) => {
      button.tabIndex = place ? -1 : 0;
    });
    this.line.addEventListener('keydown', event => this.onKey(event));
    this.node.append(this.line);
    this.sizes.observe(this.line);
    state.changed.connect(this.render, this);
    this.render();
  }

  override dispose(): void {
    this.sizes.disconnect();
    super.dispose();
  }

  /** The buttons that can be seen. */
  private get buttons(): HTMLButtonElement[] {
    return [...this.line.querySelectorAll('button')].filter(
      button => !button.hidden
    );
  }

  /** Arrow keys lead from button to button, as in any toolbar (WAI-ARIA, "toolbar" pattern). */
  private onKey(event: KeyboardEvent): void {
    const buttons = this.buttons;
    const from = buttons.indexOf(document.activeElement as HTMLButtonElement);
    const to: Record<string, number> = {
      ArrowRight: (from + 1) % buttons.length,
      ArrowLeft: (from + buttons.length - 1) % buttons.length,
      Home: 0,
      End: buttons.length - 1
    };
    const target = buttons[to[event.key] ?? -1];
    if (from >= 0 && target) {
      event.preventDefault();
      event.stopPropagation();
      buttons.forEach(button => (button.tabIndex = -1));
      target.tabIndex = 0;
      target.focus();
    }
  }

  private render(): void {
    const { status, dirty } = this.state;
    this.setHidden(!status?.repository);
    this.offer(COMMANDS.check, Boolean(status?.check));
    const shown = badge(status, dirty, this.trans);
    this.badge.dataset.state = shown.state;
    this.mark.textContent = shown.mark;
    this.words.textContent = shown.text;
  }

  /** Show a command's button or not; one can always be reached by the Tab key. */
  private offer(id: string, offered: boolean): void {
    const button = this.line.querySelector<HTMLButtonElement>(
      `[data-command="${id}"]`
    );
    if (button?.hidden !== offered) {
      return; // as it should be already
    }
    button.hidden = !offered;
    if (button.tabIndex === 0) {
      button.tabIndex = -1;
      this.buttons.slice(0, 1).forEach(first => (first.tabIndex = 0));
    }
  }

  /** The panel gives as much height as is asked for, and the line breaks when it is narrow. */
  private makeRoom(): void {
    const height = `${Math.ceil(this.line.getBoundingClientRect().height)}px`;
    if (this.node.style.minHeight !== height) {
      this.node.style.minHeight = height;
      this.parent?.fit();
    }
  }
}
