import { FileSource } from '@optimum/core/node';
import { dataError, type Place, placeOfLine } from '../data-error.ts';

/** One line of a text file. */
export interface TextLine {
  /** From 1. */
  readonly number: number;
  /** Without its line feed; a carriage return before that is kept. */
  readonly text: string;
}

/** 64 MiB: a batch of images as nested lists has a tenth of that. */
const longestLine = 64 * 2 ** 20;
const bufferByteLength = 2 ** 18;
const lineFeed = 10;

/**
 * Lines of a UTF-8 file, without a byte order mark, in memory that is bounded by the longest line.
 * @throws E_DATA_INVALID with the line for other encodings and NUL bytes, E_LIMIT_BYTES for a line past 64 MiB, E_IO,
 *   E_PATH_SPECIAL
 */
export function* textLines(path: string): Generator<TextLine> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  let number = 0;
  for (const bytes of byteLines(path)) {
    number++;
    const place = placeOfLine(path, number);
    if (number === 1 && isUtf16(bytes)) throw dataError(place, 'the file is UTF-16', { hint: 'Save it as UTF-8.' });
    if (bytes.includes(0))
      throw dataError(place, `a NUL byte at column ${bytes.indexOf(0) + 1}`, {
        hint: 'Expected text in UTF-8: is this a binary file, or UTF-16?',
      });
    yield { number, text: decode(decoder, number === 1 ? withoutMark(bytes) : bytes, place) };
  }
}

function decode(decoder: TextDecoder, bytes: Uint8Array, place: Place): string {
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    throw dataError(place, 'this line is not valid UTF-8', { hint: 'Save the file as UTF-8.', cause });
  }
}

const isUtf16 = ([first, second]: Uint8Array): boolean =>
  (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);

const withoutMark = (bytes: Uint8Array): Uint8Array =>
  bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes;

/** Bytes of each line, valid until the next one is asked for. What follows the last line feed is a line if it is not empty. */
function* byteLines(path: string): Generator<Uint8Array> {
  const source = new FileSource(path);
  try {
    const begun = new LineStart(path);
    const buffer = new Uint8Array(Math.min(bufferByteLength, source.byteLength));
    for (let position = 0; position < source.byteLength; position += buffer.byteLength) {
      const piece = buffer.subarray(0, Math.min(buffer.byteLength, source.byteLength - position));
      source.readInto(piece, position);
      let start = 0;
      for (let end = piece.indexOf(lineFeed); end >= 0; end = piece.indexOf(lineFeed, start)) {
        yield begun.finish(piece.subarray(start, end));
        start = end + 1;
      }
      begun.add(piece.subarray(start));
    }
    if (begun.byteLength > 0) yield begun.finish(new Uint8Array());
  } finally {
    source.close();
  }
}

/** What was read of a line that goes on in the next piece of its file. */
class LineStart {
  readonly #path: string;
  #pieces: Uint8Array[] = [];
  #line = 1;
  byteLength = 0;

  constructor(path: string) {
    this.#path = path;
  }

  add(piece: Uint8Array): void {
    this.byteLength += piece.byteLength;
    if (this.byteLength > longestLine)
      throw dataError(placeOfLine(this.#path, this.#line), `the line has more than ${longestLine} bytes`, {
        code: 'E_LIMIT_BYTES',
        hint: 'One sample per line; give large tensors as safetensors.',
        context: { limit: longestLine },
      });
    // A copy: the buffer is read into again.
    if (piece.byteLength > 0) this.#pieces.push(piece.slice());
  }

  finish(rest: Uint8Array): Uint8Array {
    this.#line++;
    if (this.byteLength === 0) return rest;
    const whole = Buffer.concat([...this.#pieces, rest]);
    this.#pieces = [];
    this.byteLength = 0;
    return whole;
  }
}
