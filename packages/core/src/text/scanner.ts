import { OptimumError } from '../foundation/index.ts';
import { unquote } from './strings.ts';

export interface Token {
  /** A `mark` is punctuation; `#:` begins a note, which the official syntax reads as a comment. */
  readonly kind: 'identifier' | 'string' | 'integer' | 'float' | 'mark' | 'end';
  readonly text: string;
  readonly offset: number;
}

const blank = /(?:\s+|#(?!:)[^\n]*)*/y;
const word = /[A-Za-z_][A-Za-z0-9_]*/y;
const number = /-?\d+(\.\d*)?([eE][+-]?\d+)?|-(?:infinity|inf|nan)(?![A-Za-z0-9_])/iy;
const mark = /=>|#:|[()[\]<>{},:=.@?]/y;

/** Tokens of a text, one at a time, and errors that name their place. */
export class Scanner {
  readonly #text: string;
  readonly #name: string;
  #position = 0;
  #ahead: Token | undefined;

  constructor(text: string, name: string) {
    this.#text = text;
    this.#name = name;
  }

  /** The next token, which stays. */
  peek(): Token {
    this.#ahead ??= this.#scan();
    return this.#ahead;
  }

  next(): Token {
    const token = this.peek();
    this.#ahead = undefined;
    return token;
  }

  is(text: string): boolean {
    const token = this.peek();
    return token.kind === 'mark' && token.text === text;
  }

  /** Takes the mark if it is next. */
  accept(text: string): boolean {
    const isNext = this.is(text);
    if (isNext) this.next();
    return isNext;
  }

  expect(text: string, hint?: string): void {
    if (!this.accept(text)) throw this.unexpected(`"${text}"`, hint);
  }

  identifier(expected: string): Token {
    if (this.peek().kind !== 'identifier') throw this.unexpected(expected);
    return this.next();
  }

  /** An identifier or a quoted name. */
  name(expected: string): Token {
    const token = this.peek();
    if (token.kind === 'identifier') return this.next();
    return { ...token, text: this.string(expected) };
  }

  /** A quoted string that is text. */
  string(expected: string): string {
    const token = this.peek();
    const value = this.stringOrBytes(expected);
    if (typeof value === 'string') return value;
    throw this.error(token, `${expected} is not UTF-8`, 'Only string attributes and string tensors hold other bytes.');
  }

  stringOrBytes(expected: string): string | Uint8Array {
    if (this.peek().kind !== 'string') throw this.unexpected(expected);
    return unquote(this.next().text);
  }

  unexpected(expected: string, hint?: string): OptimumError {
    const token = this.peek();
    const got = token.kind === 'end' ? 'the end' : token.kind === 'string' ? 'a string' : `"${token.text}"`;
    return this.#failure(token.offset, `expected ${expected}, got ${got}`, hint, { expected, got });
  }

  error(token: Token, what: string, hint?: string): OptimumError {
    return this.#failure(token.offset, what, hint);
  }

  /** `E_LIMIT_DEPTH` at the next token. */
  tooDeep(what: string, limit: number): OptimumError {
    const { text, context } = this.#place(this.peek().offset);
    return new OptimumError('E_LIMIT_DEPTH', `${text}: ${what} are nested more than ${limit} deep.`, {
      context: { ...context, limit },
      hint: 'No real model nests that deep.',
    });
  }

  #scan(): Token {
    this.#position += this.#match(blank).length;
    const offset = this.#position;
    if (offset >= this.#text.length) return { kind: 'end', text: '', offset };
    if (this.#text[offset] === '"') return this.#string(offset);
    for (const [pattern, kind] of [
      [word, 'identifier'],
      [number, 'integer'],
      [mark, 'mark'],
    ] as const) {
      const text = this.#match(pattern);
      if (text === '') continue;
      this.#position += text.length;
      if (kind === 'integer') return { kind: /^-?\d+$/.test(text) ? kind : 'float', text, offset };
      return { kind, text, offset };
    }
    const character = String.fromCodePoint(this.#text.codePointAt(offset) as number);
    const hint = 'Names of other than letters, digits and "_" are written in double quotes.';
    throw this.#failure(offset, `expected a token, got ${JSON.stringify(character)}`, hint);
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#position;
    return pattern.exec(this.#text)?.[0] ?? '';
  }

  #string(offset: number): Token {
    const text = this.#text;
    let end = offset + 1;
    while (end < text.length && text[end] !== '"') end += text[end] === '\\' ? 2 : 1;
    if (end >= text.length) throw this.#failure(offset, 'this string never ends', 'Close it with a double quote.');
    this.#position = end + 1;
    return { kind: 'string', text: text.slice(offset + 1, end), offset };
  }

  #failure(offset: number, what: string, hint?: string, facts: Readonly<Record<string, unknown>> = {}): OptimumError {
    const { text, context } = this.#place(offset);
    return new OptimumError('E_MODEL_INVALID', `${text}: ${what}.`, {
      hint: hint ?? 'The syntax is that of onnx/docs/Syntax.md.',
      context: { ...context, ...facts },
    });
  }

  /** Lines and columns begin at 1; a column is a character, not a byte. */
  #place(offset: number): { text: string; context: Readonly<Record<string, unknown>> } {
    const before = this.#text.slice(0, offset).split('\n');
    const line = before.length;
    const column = [...(before[line - 1] as string)].length + 1;
    return { text: `${this.#name}:${line}:${column}`, context: { file: this.#name, line, column } };
  }
}
