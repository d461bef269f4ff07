import { printable } from '@optimum/core';

/**
 * Markup that may be put into a page as it is. Only `html` makes it, and what comes out of a file never is an instance
 * of it: so no text of a model can pass for markup.
 */
export class Html {
  readonly #markup: string;

  private constructor(markup: string) {
    this.#markup = markup;
  }

  toString(): string {
    return this.#markup;
  }

  /** @internal */
  static of(strings: readonly string[], parts: readonly Part[]): Html {
    return new Html(strings.map((text, index) => text + (index < parts.length ? markupOf(parts[index]) : '')).join(''));
  }
}

/** What a template takes: markup, text and numbers (escaped), lists of these, or nothing (`undefined`, `false`). */
export type Part = Html | string | number | false | undefined | readonly Part[];

/**
 * A template whose parts are escaped unless they are markup already. Parts stand in text or inside double quotes of an
 * attribute, never in a script, a style or an address.
 */
export const html = (strings: TemplateStringsArray, ...parts: readonly Part[]): Html => Html.of(strings, parts);

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/**
 * Text as HTML, safe in elements and in quoted attributes. Control characters and those that turn the direction of text
 * are shown by their code: a name must not look like another.
 */
export const escapeHtml = (text: string): string =>
  printable(text).replace(/[&<>"']/g, (character) => entities[character] as string);

function markupOf(part: Part): string {
  if (part === undefined || part === false) return '';
  if (part instanceof Html) return part.toString();
  if (Array.isArray(part)) return part.map(markupOf).join('');
  return escapeHtml(String(part));
}

/** Lines of text, each escaped; for `pre`. */
export const lines = (text: string): Part =>
  text.split('\n').map((line, index) => (index === 0 ? line : html`\n${line}`));
