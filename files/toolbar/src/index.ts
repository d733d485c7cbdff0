/** The toolbar's plugins, one per concern. */
import {
  ILabShell,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette, MainAreaWidget } from '@jupyterlab/apputils';
import { IDocumentManager } from '@jupyterlab/docmanager';
import type { DocumentRegistry } from '@jupyterlab/docregistry';
import { ITranslator } from '@jupyterlab/translation';
import { Api } from './api.js';
import { Bar } from './bar.js';
import { Checks } from './checks.js';
import { BAR, Commands } from './commands.js';
import { Documents } from './documents.js';
import { waitForKernels } from './waiting.js';
import { foldWhenNarrow } from './narrow.js';
import { Saves } from './saves.js';
import { IStates, States } from './states.js';

/** The kinds of documents that have a bar: notebooks, and every text that can be edited. */
const EDITORS = ['Notebook', 'Jupytext Notebook', 'Editor'];

const states: JupyterFrontEndPlugin<IStates> = {
  id: 'atelier-toolbar:states',
  description: 'Knows how the open documents compare with GitLab.',
  autoStart: true,
  provides: IStates,
  activate: ({ serviceManager }: JupyterFrontEnd) =>
    new States(new Api(serviceManager.serverSettings), serviceManager.contents)
};

const commands: JupyterFrontEndPlugin<void> = {
  id: 'atelier-toolbar:commands',
  description: 'Status, save to GitLab, pull, view in GitLab, check my answer.',
  autoStart: true,
  requires: [IDocumentManager, IStates, ITranslator],
  optional: [ICommandPalette],
  activate: (
    app: JupyterFrontEnd,
    manager: IDocumentManager,
    known: IStates,
    translator: ITranslator,
    palette: ICommandPalette | null
  ) => {
    const api = new Api(app.serviceManager.serverSettings);
    const trans = translator.load('atelier_toolbar');
    const documents = new Documents(app.shell, manager, trans.__('yours'));
    const checks = new Checks(api, documents, app.shell, translator);
    new Commands(api, documents, known, checks, translator).register(
      app.commands
    );
    for (const command of BAR) {
      palette?.addItem({ command, category: 'GitLab' });
    }
  }
};

const saves: JupyterFrontEndPlugin<void> = {
  id: 'atelier-toolbar:saves',
  description: 'Keeps both versions of a file that was changed elsewhere.',
  autoStart: true,
  requires: [IDocumentManager, IStates, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    manager: IDocumentManager,
    known: IStates,
    translator: ITranslator
  ) => {
    const trans = translator.load('atelier_toolbar');
    const documents = new Documents(app.shell, manager, trans.__('yours'));
    const made = new Saves(documents, known, trans);
    const extension: DocumentRegistry.WidgetExtension = {
      createNew: (_, context) => made.guard(context)
    };
    for (const editor of EDITORS) {
      app.docRegistry.addWidgetExtension(editor, extension);
    }
  }
};

const bar: JupyterFrontEndPlugin<void> = {
  id: 'atelier-toolbar:bar',
  description: "A bar with the file's state and the commands, in each editor.",
  autoStart: true,
  requires: [IStates, ITranslator],
  activate: (app: JupyterFrontEnd, known: IStates, translator: ITranslator) => {
    const trans = translator.load('atelier_toolbar');
    const extension: DocumentRegistry.WidgetExtension = {
      createNew: (widget, context) => {
        if (!(widget instanceof MainAreaWidget)) {
          return;
        }
        const made = new Bar(
          known.watch(context),
          app.commands,
          BAR,
          () => app.shell.activateById(widget.id),
          trans
        );
        widget.contentHeader.addWidget(made);
        return made;
      }
    };
    for (const editor of EDITORS) {
      app.docRegistry.addWidgetExtension(editor, extension);
    }
  }
};

const narrow: JupyterFrontEndPlugin<void> = {
  id: 'atelier-toolbar:narrow',
  description: 'Makes room for the document where the window is narrow.',
  autoStart: true,
  optional: [ILabShell], // Notebook has no side panels to fold
  activate: (_: JupyterFrontEnd, shell: ILabShell | null) => {
    if (shell) {
      foldWhenNarrow(shell);
    }
  }
};

const kernels: JupyterFrontEndPlugin<void> = {
  id: 'atelier-toolbar:kernels',
  description:
    'Runs a cell once its kernel has started, instead of forgetting it.',
  autoStart: true,
  requires: [ITranslator],
  activate: (_: JupyterFrontEnd, translator: ITranslator) =>
    waitForKernels(translator.load('atelier_toolbar'))
};

export default [states, commands, saves, bar, narrow, kernels];
