/**
 * Quoted strings. The official syntax knows one rule: a backslash keeps the next character. Printed text also has
 * `\n`, `\r`, `\t` and `\xNN` (one byte), so that text stays one line a node and holds any bytes; a backslash before
 * any other character means what it means officially.
 */
const special = /["\\\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;
const escaped = /\\x([0-9a-fA-F]{2})|\\([\s\S])|[^\\]+/g;
const letters = new Map([
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
]);
const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** A quoted string; bytes that are not UTF-8 are escaped one by one. */
export function quote(value: string | Uint8Array): string {
  const text = typeof value === 'string' ? value : decode(value);
  if (typeof text === 'string') return `"${text.replace(special, escapeCharacter)}"`;
  return `"${Array.from(text, escapeByte).join('')}"`;
}

function escapeCharacter(character: string): string {
  if (character === '"' || character === '\\') return `\\${character}`;
  for (const [letter, meant] of letters) if (meant === character) return `\\${letter}`;
  return Array.from(encoder.encode(character), hexEscape).join('');
}

const hexEscape = (byte: number): string => `\\x${byte.toString(16).padStart(2, '0')}`;

function escapeByte(byte: number): string {
  const isPrintable = byte >= 0x20 && byte < 0x7f;
  return isPrintable ? String.fromCharCode(byte).replace(special, escapeCharacter) : hexEscape(byte);
}

/** What stands between the quotes, unescaped: text, or bytes where its `\xNN` make no UTF-8. */
export function unquote(inside: string): string | Uint8Array {
  if (!inside.includes('\\')) return inside;
  const pieces: (string | number)[] = [];
  for (const [plain, hex, kept] of inside.matchAll(escaped)) {
    if (hex !== undefined) pieces.push(Number.parseInt(hex, 16));
    else pieces.push(kept === undefined ? plain : (letters.get(kept) ?? kept));
  }
  if (!pieces.some((piece) => typeof piece === 'number')) return pieces.join('');
  return decode(
    Uint8Array.from(pieces.flatMap((piece) => (typeof piece === 'number' ? [piece] : [...encoder.encode(piece)]))),
  );
}

/** Text where the bytes are UTF-8, the bytes themselves where they are not. */
export function decode(bytes: Uint8Array): string | Uint8Array {
  try {
    return decoder.decode(bytes);
  } catch {
    return bytes;
  }
}
