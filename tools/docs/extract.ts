/** One fenced block of a Markdown file. */
export interface Snippet {
  /** `README.md:12`: where its text begins. */
  readonly at: string;
  readonly language: string;
  /** Second word of the info string: the block is that file of the folder, and is not run. */
  readonly file: string | undefined;
  readonly text: string;
}

/** Languages a block may have. `ts`, `js` and `sh` are run, `json` is parsed, `text` is output or for people. */
export const languages = ['ts', 'js', 'sh', 'json', 'text'] as const;

/** The fenced blocks of a document, in order. @throws when a fence has no language, one that is not known, or no end */
export function snippetsOf(name: string, markdown: string): Snippet[] {
  const snippets: Snippet[] = [];
  let open: { at: string; info: string; lines: string[] } | undefined;
  for (const [index, line] of markdown.split('\n').entries()) {
    const fence = /^```(.*)$/.exec(line);
    if (!fence) open?.lines.push(line);
    else if (!open) open = { at: `${name}:${index + 2}`, info: fence[1] ?? '', lines: [] };
    else {
      snippets.push(snippetOf(open));
      open = undefined;
    }
  }
  if (open) throw new Error(`${open.at}: the block has no end`);
  return snippets;
}

function snippetOf({ at, info, lines }: { at: string; info: string; lines: string[] }): Snippet {
  const [language = '', file] = info.trim().split(/\s+/);
  if (!(languages as readonly string[]).includes(language))
    throw new Error(`${at}: a block must be one of ${languages.join(', ')}; this one is "${language}"`);
  return { at, language, file, text: `${lines.join('\n')}\n` };
}

/** The command lines of an `sh` block, with the exit code that each must have (`# exits 22`). */
export function commandsOf(text: string): { readonly line: string; readonly exitCode: number }[] {
  return text
    .replace(/\\\n/g, ' ')
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('#'))
    .map((line) => ({ line, exitCode: Number(/# exits (\d+)/.exec(line)?.[1] ?? 0) }));
}
