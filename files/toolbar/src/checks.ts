/** Checks of answers: asked of the desk, shown in the side panel, marked when they are old. */
import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { DocumentRegistry } from '@jupyterlab/docregistry';
import type { ITranslator, TranslationBundle } from '@jupyterlab/translation';
import { answerOf, canShow, goTo } from './answers.js';
import { type Api, type IProblem, Refusal } from './api.js';
import type { Documents } from './documents.js';
import { isNarrow } from './narrow.js';
import { CheckPanel, type IDocument } from './panel.js';

/** After JupyterLab's own panels. */
const RANK = 1000;

/** JupyterLab's shell and Notebook's can both fold their right side. */
interface IFoldable {
  collapseRight?(): void;
}

export class Checks {
  private readonly trans: TranslationBundle;
  private readonly lang: string;
  private panel: CheckPanel | null = null;
  /** The document of the last check. */
  private context: DocumentRegistry.Context | null = null;
  /** What was checked; null when GitLab has something else than was on the screen. */
  private answer: string | null = null;
  private working = false;
  /** Counts the checks: only the last one's result is shown. */
  private number = 0;

  constructor(
    private readonly api: Api,
    private readonly documents: Documents,
    private readonly shell: JupyterFrontEnd.IShell,
    translator: ITranslator
  ) {
    this.trans = translator.load('atelier_toolbar');
    this.lang = translator.languageCode.startsWith('fr') ? 'fr' : 'en';
  }

  /** Whether a document is being checked; the panel that says so comes to the front then. */
  isWorking(context: DocumentRegistry.Context): boolean {
    const working = this.working && this.context === context;
    if (working) {
      this.open();
    }
    return working;
  }

  /** Take away the result that is shown: another one is about to be asked for. */
  forget(): void {
    this.number += 1;
    this.working = false;
    this.context?.model.contentChanged.disconnect(this.look, this);
    this.context = null;
    this.panel?.clear();
  }

  /**
   * Have the saved version of a document checked, and show the result beside it.
   *
   * @param name - what learners call the file
   * @param whole - whether GitLab has all that is on the screen
   * @returns the address of the desk's page when there can be no panel, else null
   */
  async check(
    context: DocumentRegistry.Context,
    name: string,
    whole: boolean
  ): Promise<string | null> {
    const shown: IDocument = {
      name,
      canShow: place => canShow(context, place),
      show: place => {
        const widget = this.documents.show(context);
        if (isNarrow()) {
          this.fold();
        }
        if (widget) {
          void goTo(widget, place);
        }
      }
    };
    this.forget();
    const { number } = this;
    this.follow(context, whole ? answerOf(context) : null);
    this.working = true;
    const panel = this.open();
    panel.checking(shown);
    try {
      const found = await this.api.check(context.path, this.lang);
      if (number === this.number) {
        this.working = false;
        panel.tell(found, shown);
        this.look();
      }
    } catch (error) {
      const problem: IProblem =
        error instanceof Refusal
          ? error.problem
          : { code: 'connection', detail: String(error) };
      if (number === this.number) {
        this.working = false;
        panel.problem(problem);
      }
      return problem.code === 'check_page' ? (problem.page ?? null) : null;
    }
    return null;
  }

  /** Bring the panel to the front, made when it is needed first. */
  private open(): CheckPanel {
    if (!this.panel) {
      this.panel = new CheckPanel(this.trans, () => this.fold());
      this.shell.add(this.panel, 'right', { rank: RANK });
    }
    this.shell.activateById(this.panel.id);
    return this.panel;
  }

  private fold(): void {
    (this.shell as IFoldable).collapseRight?.();
  }

  private follow(
    context: DocumentRegistry.Context,
    answer: string | null
  ): void {
    this.context = context;
    this.answer = answer;
    context.model.contentChanged.connect(this.look, this);
  }

  /** Mark the result as soon as it is about something else than the screen shows. */
  private look(): void {
    if (this.working || !this.context || this.context.isDisposed) {
      return;
    }
    if (this.answer === null) {
      this.panel?.setStale(
        this.trans.__(
          'This is about the version in GitLab: what you see here is another one.'
        )
      );
    } else {
      const changed = answerOf(this.context) !== this.answer;
      this.panel?.setStale(
        changed
          ? this.trans.__(
              'Your answer has changed since this check: check again to see where you are.'
            )
          : ''
      );
    }
  }
}
