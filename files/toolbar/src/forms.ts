/** The dialogs that show the status and that ask what to save. */
import { Dialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';
import type { IChange, IStatus } from './api.js';
import { ask } from './ask.js';
import { h, paragraphs, uniqueId } from './dom.js';
import * as words from './words.js';

/** What a learner decides in the status dialog. */
export type Next = 'save' | 'pull' | null;

/** Show the status in words; offers what would help. */
export async function showStatus(
  status: IStatus,
  current: words.IBadge,
  trans: TranslationBundle
): Promise<Next> {
  const repository = status.repository?.path ?? '';
  const body = new Widget({
    node: h(
      'div',
      {},
      ...(status.file
        ? [
            h(
              'p',
              { class: 'atelier-Current' },
              h('strong', {}, words.shortName(status.file.path, repository)),
              ` ${current.mark} ${current.text}`
            )
          ]
        : []),
      ...paragraphs(words.summary(status, trans)),
      changeList(status.changes, repository, trans),
      ...paragraphs(words.waiting(status, trans))
    )
  });
  body.addClass('atelier-Dialog');
  const buttons = [Dialog.cancelButton({ label: trans.__('Close') })];
  const next: Next[] = [null];
  if (status.behind) {
    buttons.push(Dialog.okButton({ label: trans.__('Pull') }));
    next.push('pull');
  }
  if (status.changes.length || status.ahead) {
    buttons.push(Dialog.okButton({ label: trans.__('Save to GitLab') }));
    next.push('save');
  }
  const { button } = await ask({
    title: trans.__('Status'),
    body,
    buttons,
    defaultButton: 0
  });
  return next[buttons.findIndex(one => one.label === button.label)] ?? null;
}

function changeList(
  changes: IChange[],
  repository: string,
  trans: TranslationBundle
): HTMLElement {
  return h(
    'ul',
    { class: 'atelier-Files' },
    ...changes.map(one => h('li', {}, ...fileLine(one, repository, trans)))
  );
}

function fileLine(
  one: IChange,
  repository: string,
  trans: TranslationBundle
): (Node | string)[] {
  const [name, said] = words.fileLine(one, repository, trans);
  return [h('strong', {}, name), said];
}

/** What is to be saved. */
export interface ISaveRequest {
  message: string;
  /** Null for every changed file. */
  files: string[] | null;
}

class SaveForm extends Widget implements Dialog.IBodyWidget<ISaveRequest> {
  private readonly message: HTMLInputElement;
  private readonly boxes: HTMLInputElement[];

  constructor(status: IStatus, proposed: string, trans: TranslationBundle) {
    super();
    this.addClass('atelier-Dialog');
    const id = uniqueId();
    this.message = h('input', {
      id,
      type: 'text',
      maxlength: '200',
      required: '',
      class: 'atelier-Message',
      'aria-describedby': `${id}-help`
    });
    this.message.value = proposed;
    const repository = status.repository?.path ?? '';
    this.boxes = status.changes.map(one => {
      const box = h('input', { type: 'checkbox', value: one.path });
      box.checked = true;
      return box;
    });
    const files = status.changes.map((one, place) =>
      h(
        'label',
        { class: 'atelier-File' },
        ...this.boxes.slice(place, place + 1),
        h('span', {}, ...fileLine(one, repository, trans))
      )
    );
    this.node.append(
      h('label', { for: id }, trans.__('What have you done? One line:')),
      this.message,
      h(
        'p',
        { id: `${id}-help`, class: 'atelier-help' },
        trans.__('You and your teachers will read it in the history in GitLab.')
      ),
      h('fieldset', {}, h('legend', {}, trans.__('Files to save')), ...files)
    );
    const check = (): void => {
      const none = !this.boxes.some(box => box.checked);
      this.boxes[0]?.setCustomValidity(
        none ? trans.__('Choose at least one file.') : ''
      );
      // The dialog looks at what is valid when something is typed.
      this.message.dispatchEvent(new Event('input', { bubbles: true }));
    };
    this.boxes.forEach(box => box.addEventListener('change', check));
  }

  getValue(): ISaveRequest {
    const chosen = this.boxes.filter(box => box.checked).map(box => box.value);
    return {
      message: this.message.value.trim(),
      files: chosen.length === this.boxes.length ? null : chosen
    };
  }
}

/** Ask for the message and the files; null when the learner changes their mind. */
export async function askWhatToSave(
  status: IStatus,
  proposed: string,
  trans: TranslationBundle
): Promise<ISaveRequest | null> {
  const { button, value } = await ask<ISaveRequest>({
    title: trans.__('Save to GitLab'),
    body: new SaveForm(status, proposed, trans),
    focusNodeSelector: '.atelier-Message',
    buttons: [
      Dialog.cancelButton({ label: trans.__('Cancel') }),
      Dialog.okButton({ label: trans.__('Save') })
    ]
  });
  return button.accept ? value : null;
}
