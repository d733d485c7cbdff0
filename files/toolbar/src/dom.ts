/** Make an element with attributes and children; texts become text, never markup. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Record<string, string> = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

/** A link that opens in a tab of its own. */
export function link(url: string, text: string): HTMLAnchorElement {
  return h(
    'a',
    { href: url, target: '_blank', rel: 'noopener', class: 'atelier-Link' },
    text
  );
}

export function paragraphs(texts: string[]): HTMLParagraphElement[] {
  return texts.filter(text => text).map(text => h('p', {}, text));
}

let count = 0;

/** A name for an element that labels another. */
export function uniqueId(): string {
  return `atelier-${(count += 1)}`;
}
