/** What a terminal would obey or reorder: control characters, line separators, bidirectional overrides. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for.
const unsafe = /[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g;

const escaped = (found: string): string => `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`;

/** Text out of a file as it may be shown in a message: control characters are escaped, because a terminal obeys them. */
export const printable = (text: string): string => text.replace(unsafe, escaped);

/** A name out of a file as it may be shown in a message: printable, in quotes, and cut when it is long. */
export function quote(name: string, most = 100): string {
  const shown = name.length > most ? `${name.slice(0, most)}…` : name;
  return `"${printable(shown).replaceAll('"', '\\"')}"`;
}
