/** The commands. Each works on the document the learner is in. */
import type { JupyterFrontEnd } from '@jupyterlab/application';
import { Dialog } from '@jupyterlab/apputils';
import type { DocumentRegistry } from '@jupyterlab/docregistry';
import type { ITranslator, TranslationBundle } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';
import {
  type Api,
  type IProblem,
  type IResult,
  type IStatus,
  type Line,
  Refusal
} from './api.js';
import { ask } from './ask.js';
import type { Checks } from './checks.js';
import type { Documents } from './documents.js';
import { h, link } from './dom.js';
import { askWhatToSave, showStatus } from './forms.js';
import * as icons from './icons.js';
import { keptBeside, remark, success } from './outcomes.js';
import { Progress } from './progress.js';
import type { IStates } from './states.js';
import * as words from './words.js';

export const COMMANDS = {
  status: 'atelier:status',
  save: 'atelier:save',
  pull: 'atelier:pull',
  view: 'atelier:view',
  check: 'atelier:check'
} as const;

/** The buttons of a document's bar, from left to right. */
export const BAR: readonly string[] = Object.values(COMMANDS);

export class Commands {
  private readonly trans: TranslationBundle;
  /** "fr" or "en": the language of what git keeps: messages, names of files. */
  private readonly lang: string;

  constructor(
    private readonly api: Api,
    private readonly documents: Documents,
    private readonly states: IStates,
    private readonly checks: Checks,
    translator: ITranslator
  ) {
    this.trans = translator.load('atelier_toolbar');
    this.lang = translator.languageCode.startsWith('fr') ? 'fr' : 'en';
  }

  /** Add the commands to the application. */
  register(commands: JupyterFrontEnd['commands']): void {
    const { trans } = this;
    const add = (
      id: string,
      icon: typeof icons.saveIcon,
      [label, short, caption]: [string, string, string],
      run: (context: DocumentRegistry.Context) => Promise<void>
    ): void => {
      commands.addCommand(id, {
        label,
        iconLabel: short,
        caption,
        icon,
        isEnabled: () => this.documents.current !== null,
        execute: async () => {
          const context = this.documents.current;
          if (context) {
            await run(context).catch((error: unknown) =>
              this.unexpected(label, error)
            );
          }
        },
        describedBy: { args: { type: 'object', properties: {} } }
      });
    };
    add(
      COMMANDS.status,
      icons.statusIcon,
      [
        trans.__('Status'),
        trans.__('Status'),
        trans.__('What has changed since the last save')
      ],
      context => this.status(context)
    );
    add(
      COMMANDS.save,
      icons.saveIcon,
      [
        trans.__('Save to GitLab'),
        trans.__('Save'),
        trans.__('Keep your work in your GitLab space')
      ],
      context => this.save(context)
    );
    add(
      COMMANDS.pull,
      icons.pullIcon,
      [
        trans.__('Pull'),
        trans.__('Pull'),
        trans.__('Bring what is newer in GitLab')
      ],
      context => this.pull(context)
    );
    add(
      COMMANDS.view,
      icons.viewIcon,
      [
        trans.__('View in GitLab'),
        trans.__('View'),
        trans.__('Open this file in your GitLab space')
      ],
      context => this.view(context)
    );
    add(
      COMMANDS.check,
      icons.checkIcon,
      [
        trans.__('Check my answer'),
        trans.__('Check'),
        trans.__('See at once what is right and what is not yet')
      ],
      context => this.check(context)
    );
  }

  private async status(context: DocumentRegistry.Context): Promise<void> {
    const status = await this.api.status(context.path, true);
    if (!status.repository) {
      return this.notInTheCourse(this.trans.__('Status'));
    }
    // Not on the disk yet, but changed all the same: a save saves the documents first.
    const listed = new Set(status.changes.map(({ path }) => path));
    for (const path of this.documents.edited(status.repository.path)) {
      if (!listed.has(path)) {
        status.changes.push({ path, change: 'modified' });
      }
    }
    const current = words.badge(status, context.model.dirty, this.trans);
    const next = await showStatus(status, current, this.trans);
    await this.states.refresh(status.gitlab);
    if (next) {
      await this[next](context);
    }
  }

  private async save(context: DocumentRegistry.Context): Promise<void> {
    const title = this.trans.__('Save to GitLab');
    const status = await this.ready(context, title);
    if (!status) {
      return;
    }
    let message = '';
    let files: string[] | null = null;
    if (status.changes.length) {
      const proposal = await this.api.proposal(context.path, this.lang);
      const wanted = await askWhatToSave(status, proposal.message, this.trans);
      if (!wanted) {
        return;
      }
      ({ message, files } = wanted);
    }
    await this.run('save', title, status, () =>
      this.api.save(context.path, message, files, this.lang)
    );
  }

  private async pull(context: DocumentRegistry.Context): Promise<void> {
    const title = this.trans.__('Pull');
    const status = await this.ready(context, title);
    if (status) {
      await this.run('pull', title, status, () =>
        this.api.pull(context.path, this.lang)
      );
    }
  }

  private async view(context: DocumentRegistry.Context): Promise<void> {
    const { trans } = this;
    const title = trans.__('View in GitLab');
    const { url, saved } = await this.api.view(context.path);
    if (!url) {
      return this.notInTheCourse(title);
    }
    if (!saved) {
      const { button } = await ask({
        title,
        body: trans.__(
          'This file has never been saved to GitLab: there is nothing to see there yet.'
        ),
        buttons: [
          Dialog.cancelButton({ label: trans.__('Cancel') }),
          Dialog.okButton({ label: trans.__('Save to GitLab') })
        ]
      });
      return button.accept ? this.save(context) : undefined;
    }
    await this.show(url, title, trans.__('Open in GitLab'));
  }

  private async check(context: DocumentRegistry.Context): Promise<void> {
    const { trans } = this;
    const title = trans.__('Check my answer');
    if (this.checks.isWorking(context)) {
      return;
    }
    const known = await this.api.status(context.path, false);
    if (known.repository && !known.check) {
      const none = trans.__('The course has no exercise for this file.');
      return this.say(title, h('p', {}, none));
    }
    let status = await this.ready(context, title);
    if (!status) {
      return;
    }
    if (words.isBehindTheScreen(status, context.model.dirty)) {
      const { button } = await ask({
        title,
        body: trans.__(
          'What is checked is what GitLab has, and this file has changes that are not there yet.'
        ),
        buttons: [
          Dialog.cancelButton({ label: trans.__('Cancel') }),
          Dialog.okButton({ label: trans.__('Check without them') }),
          Dialog.okButton({ label: trans.__('Save and check') })
        ]
      });
      if (!button.accept) {
        return;
      }
      this.checks.forget();
      if (button.label === trans.__('Save and check')) {
        const begin = (): AsyncIterable<Line> =>
          this.api.save(context.path, '', [context.path], this.lang);
        await this.run('save', title, status, begin, true);
        status = await this.api.status(context.path, false);
        if (words.isBehindTheScreen(status, context.model.dirty)) {
          return; // not saved after all: the learner knows why
        }
      }
    }
    const name = words.shortName(context.path, status.repository?.path ?? '');
    const whole = words.stateOf(status, context.model.dirty) === 'saved';
    const page = await this.checks.check(context, name, whole);
    if (page !== null) {
      await this.showPage(page, title);
    }
  }

  /** The desk's page, where this server cannot ask for a check. */
  private async showPage(url: string, title: string): Promise<void> {
    if (window.self !== window.top) {
      // In a course page's frame: the cookies are the frame's own, a new tab would have none.
      window.location.assign(url);
      return;
    }
    await this.show(url, title, this.trans.__('See the whole check'));
  }

  /** Open a page in a tab of its own, or offer it where programs may not open tabs. */
  private async show(url: string, title: string, text: string): Promise<void> {
    const opened = window.open(url, '_blank');
    if (opened) {
      opened.opener = null;
      return;
    }
    await this.say(title, h('p', {}, link(url, text)));
  }

  /** Save the clone's documents and say what is there; null after telling why not. */
  private async ready(
    context: DocumentRegistry.Context,
    title: string
  ): Promise<IStatus | null> {
    const before = await this.api.status(context.path, false);
    if (!before.repository) {
      await this.notInTheCourse(title);
      return null;
    }
    const { path } = before.repository;
    const { kept, unsaved } = await this.documents.saveAll(path);
    if (unsaved !== null) {
      const { space } = await this.api.status(context.path, false);
      const code = space ? 'disk_full' : 'unsaved';
      await this.tell(title, { code, path: unsaved, space }, path);
      return null;
    }
    if (kept.length) {
      const remarks = kept.map(one =>
        remark(
          words.otherWindow(
            words.shortName(one.path, path),
            words.shortName(one.kept, path),
            this.trans
          )
        )
      );
      await this.say(title, ...remarks);
    }
    return this.api.status(context.path, false);
  }

  /**
   * Follow a save or a pull to its end, then show what is on the disk.
   *
   * @param quiet - whether the dialog goes by itself when there is nothing to read
   */
  private async run(
    kind: 'save' | 'pull',
    title: string,
    status: IStatus,
    begin: () => AsyncIterable<Line>,
    quiet = false
  ): Promise<void> {
    const repository = status.repository?.path ?? '';
    const progress = new Progress(title, this.trans);
    let result: IResult | null = null;
    let problem: IProblem | null = null;
    try {
      for await (const line of begin()) {
        if ('step' in line) {
          progress.step(line.step);
        } else if ('result' in line) {
          ({ result } = line);
        } else {
          ({ problem } = line);
        }
      }
    } catch (error) {
      problem = { code: 'connection', detail: String(error) };
    }
    if (!result && !problem) {
      problem = { code: 'connection' };
    }
    const end: IResult = result ?? problem ?? {};
    const { edited, gone } = await this.documents.reload(end.reload ?? []);
    const more = [
      ...keptBeside(end, repository, this.trans),
      ...edited.map(path =>
        remark(words.leftAlone(words.shortName(path, repository), this.trans))
      ),
      ...gone.map(path =>
        remark(words.gone(words.shortName(path, repository), this.trans))
      )
    ];
    if (problem) {
      progress.problem(problem, repository, ...more);
    } else if (quiet && !more.length && !end.merged) {
      progress.close();
    } else {
      progress.done(...success(kind, end, repository, this.trans), ...more);
    }
    const away = ['offline', 'too_often'].includes(problem?.code ?? '');
    const gitlab = away ? 'unreachable' : 'not asked';
    await Promise.all([
      this.states.refresh(result ? 'reached' : gitlab),
      progress.whenClosed()
    ]);
  }

  private notInTheCourse(title: string): Promise<void> {
    return this.tell(title, { code: 'not_a_clone' }, '');
  }

  private async unexpected(title: string, error: unknown): Promise<void> {
    const problem =
      error instanceof Refusal
        ? error.problem
        : { code: 'unexpected', detail: String(error) };
    await this.tell(title, problem, '');
  }

  private async tell(
    title: string,
    problem: IProblem,
    repository: string
  ): Promise<void> {
    const progress = new Progress(title, this.trans);
    progress.problem(problem, repository);
    await progress.whenClosed();
  }

  private async say(title: string, ...parts: Node[]): Promise<void> {
    const body = new Widget({ node: h('div', {}, ...parts) });
    body.addClass('atelier-Dialog');
    await ask({
      title,
      body,
      buttons: [Dialog.cancelButton({ label: this.trans.__('Close') })]
    });
  }
}
