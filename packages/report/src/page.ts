import { createHash } from 'node:crypto';
import { type Html, html, type Part } from './html.ts';
import { sortScript } from './sort-script.ts';
import { styles } from './styles.ts';

export interface PageSection {
  readonly title: string;
  readonly content: Part;
}

export interface Page {
  readonly title: string;
  /** One line under the title. */
  readonly lead: Part;
  readonly sections: readonly PageSection[];
}

/**
 * A whole document, complete in itself. Its policy lets nothing load and no script run but the one that sorts tables:
 * should markup out of a model ever get through, it stays dead.
 */
export function page({ title, lead, sections }: Page): string {
  const body = html`<header><h1>${title}</h1><p class="lead">${lead}</p></header>
${navigation(sections)}<main>
${sections.map(({ title: name, content }, index) => html`<section id="${anchorOf(index)}">\n<h2>${name}</h2>\n${content}</section>\n`)}</main>
<footer>Made by Optimum for TypeScript. Tables sort by their heads; nothing on this page is loaded from anywhere.</footer>`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
${html`<title>${title}</title>`}
<style>${styles}</style>
</head>
<body>
${body}
<script>${sortScript}</script>
</body>
</html>
`;
}

const hashOf = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

const policy = `default-src 'none'; style-src ${hashOf(styles)}; script-src ${hashOf(sortScript)}; base-uri 'none'; form-action 'none'`;

/** By number: a name out of a file makes no good anchor. */
const anchorOf = (index: number): string => `section-${index + 1}`;

const navigation = (sections: readonly PageSection[]): Html | undefined =>
  sections.length > 1
    ? html`<nav aria-label="Sections"><ul>${sections.map(({ title }, index) => html`<li><a href="#${anchorOf(index)}">${title}</a></li>\n`)}</ul></nav>\n`
    : undefined;
