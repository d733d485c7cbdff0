/** The two languages as JupyterLab's translator speaks them, from the catalogue learners get. */
import { readFileSync } from 'node:fs';

const catalogue = JSON.parse(
  readFileSync(
    new URL(
      '../atelier_toolbar/locale/fr_FR/LC_MESSAGES/atelier_toolbar.json',
      import.meta.url
    )
  )
);

const fill = (text, ...values) =>
  text.replace(/%(\d)/g, (_, n) => String(values[n - 1]));

export const english = {
  __: fill,
  _n: (one, many, n, ...more) => fill(n === 1 ? one : many, n, ...more)
};

const translated = text => {
  if (!(text in catalogue)) {
    throw new Error(`no French: ${text}`);
  }
  return catalogue[text];
};

export const french = {
  __: (text, ...values) => fill(translated(text)[0], ...values),
  _n: (one, _, n, ...more) => fill(translated(one)[n > 1 ? 1 : 0], n, ...more)
};

/** French typography's spaces that do not break, as plain ones: they are not to be seen. */
export const plain = text => text.replaceAll('\u00a0', ' ');
