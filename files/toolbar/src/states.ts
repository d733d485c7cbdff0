/** What is known of the open documents, kept up to date. */
import type { DocumentRegistry } from '@jupyterlab/docregistry';
import type { Contents } from '@jupyterlab/services';
import { Token } from '@lumino/coreutils';
import { DisposableDelegate, type IDisposable } from '@lumino/disposable';
import { Signal, type ISignal } from '@lumino/signaling';
import type { Api, IStatus } from './api.js';
import { showFile } from './both.js';

/** GitLab is asked again when the window comes back after this long, in milliseconds. */
const STALE_MS = 60_000;
/** And this often while the window is looked at. */
const EVERY_MS = 300_000;

/** Whether GitLab answered when it was last spoken to. */
export type Gitlab = IStatus['gitlab'];

/** The states of all open documents. */
export interface IStates {
  /** The state of a document from now on, until it is disposed of. */
  watch(context: DocumentRegistry.Context): IDocumentState;
  /** Look again, at all documents, e.g. after a save, which has seen GitLab or not. */
  refresh(gitlab: Gitlab): Promise<void>;
}

export const IStates = new Token<IStates>(
  'atelier-toolbar:IStates',
  'How the open documents compare with GitLab.'
);

/** The state of one document. */
export interface IDocumentState extends IDisposable {
  /** What the server said last; null before its first answer. */
  readonly status: IStatus | null;
  /** Whether there are edits that Jupyter has not saved. */
  readonly dirty: boolean;
  readonly changed: ISignal<IDocumentState, void>;
}

class DocumentState implements IDocumentState {
  readonly changed = new Signal<this, void>(this);
  status: IStatus | null = null;
  isDisposed = false;
  private asking: Promise<void> | null = null;
  private again = false;

  constructor(
    readonly context: DocumentRegistry.Context,
    private readonly api: Api,
    private readonly gitlab: { last: Gitlab }
  ) {
    context.saveState.connect(this.onSave, this);
    context.pathChanged.connect(this.onPath, this);
    context.model.stateChanged.connect(this.onEdit, this);
    context.disposed.connect(this.dispose, this);
  }

  get dirty(): boolean {
    return !this.isDisposed && this.context.model.dirty;
  }

  /** Ask the server. A question during another is asked once more after it. */
  async refresh(askGitlab: boolean): Promise<void> {
    if (this.asking) {
      this.again = true;
      return this.asking;
    }
    this.asking = this.ask(askGitlab);
    await this.asking;
    this.asking = null;
    if (this.again && !this.isDisposed) {
      this.again = false;
      await this.refresh(false);
    }
  }

  dispose(): void {
    if (!this.isDisposed) {
      this.isDisposed = true;
      Signal.clearData(this);
    }
  }

  private async ask(askGitlab: boolean): Promise<void> {
    try {
      const status = await this.api.status(this.context.path, askGitlab);
      if (status.gitlab === 'not asked') {
        // What was seen of GitLab last, by whichever document, holds until it is asked again.
        status.gitlab = this.gitlab.last;
      }
      this.gitlab.last = status.gitlab;
      this.status = status;
    } catch (error) {
      // The server is restarting, or gone: Jupyter itself says so.
      console.warn('atelier-toolbar: no status', error);
    }
    if (!this.isDisposed) {
      this.changed.emit();
    }
  }

  private onSave(_: unknown, state: DocumentRegistry.SaveState): void {
    if (state === 'completed') {
      void this.refresh(false);
    }
  }

  private onPath(): void {
    this.status = null;
    void this.refresh(false);
  }

  private onEdit(_: unknown, change: { name: string }): void {
    if (change.name === 'dirty') {
      this.changed.emit();
    }
  }
}

/** Watches documents, and asks GitLab when that is worth it. */
export class States implements IStates, IDisposable {
  isDisposed = false;
  private readonly documents = new Set<DocumentState>();
  private readonly gitlab: { last: Gitlab } = { last: 'not asked' };
  private askedAt = 0;
  private readonly timer: number;

  constructor(
    private readonly api: Api,
    private readonly contents: Contents.IManager
  ) {
    this.timer = window.setInterval(() => void this.look(EVERY_MS), EVERY_MS);
    document.addEventListener('visibilitychange', this.onVisible);
  }

  watch(context: DocumentRegistry.Context): IDocumentState {
    const state = new DocumentState(context, this.api, this.gitlab);
    this.documents.add(state);
    const forget = new DisposableDelegate(() => this.documents.delete(state));
    context.disposed.connect(() => forget.dispose());
    void context.ready.then(() => this.first(state));
    return state;
  }

  /** What is known here comes at once; GitLab may take its time. */
  private async first(state: DocumentState): Promise<void> {
    await state.refresh(false);
    if (this.mayAsk(STALE_MS)) {
      await state.refresh(true);
    }
  }

  async refresh(gitlab: Gitlab): Promise<void> {
    if (gitlab !== 'not asked') {
      this.gitlab.last = gitlab;
    }
    await Promise.all([...this.documents].map(one => one.refresh(false)));
  }

  dispose(): void {
    this.isDisposed = true;
    window.clearInterval(this.timer);
    document.removeEventListener('visibilitychange', this.onVisible);
  }

  private readonly onVisible = (): void => void this.look(STALE_MS);

  /** Another window, or a pull there, may have changed what is on the disk. */
  private async look(olderThan: number): Promise<void> {
    if (document.visibilityState !== 'visible') {
      return;
    }
    await Promise.all([...this.documents].map(one => this.reread(one.context)));
    const ask = this.mayAsk(olderThan);
    const [first, ...others] = this.documents;
    await first?.refresh(ask);
    await Promise.all(others.map(one => one.refresh(false)));
  }

  /** Show what is on the disk, unless there are edits here: those Jupyter asks about itself. */
  private async reread(context: DocumentRegistry.Context): Promise<void> {
    const known = context.contentsModel?.last_modified;
    if (!known || this.isDirty(context)) {
      return;
    }
    try {
      const now = await this.contents.get(context.path, { content: false });
      if (now.last_modified > known && !this.isDirty(context)) {
        await showFile(context, now);
      }
    } catch {
      // Renamed or deleted elsewhere: nothing to show.
    }
  }

  /** What it is at this moment: it changes while we wait. */
  private isDirty(context: DocumentRegistry.Context): boolean {
    return context.model.dirty;
  }

  private mayAsk(olderThan: number): boolean {
    const due = Date.now() - this.askedAt >= olderThan;
    this.askedAt = due ? Date.now() : this.askedAt;
    return due;
  }
}
