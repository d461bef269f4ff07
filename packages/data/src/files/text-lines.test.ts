import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { textLines } from './text-lines.ts';

const root = mkdtempSync(join(tmpdir(), 'optimum-lines-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const file = join(root, 'lines.txt');

const lines = (content: string | Uint8Array): string[] => {
  writeFileSync(file, content);
  return [...textLines(file)].map(({ text }) => text);
};

describe('textLines', () => {
  it('gives back what was joined, whatever the lengths', () => {
    const text = fc
      .string({ unit: 'binary' })
      .map((value) => Buffer.from(value.replace(/[\n\0\uFEFF]/g, '')).toString());
    fc.assert(
      fc.property(fc.array(text, { minLength: 1 }), (texts) => {
        expect(lines(`${texts.join('\n')}\n`)).toEqual(texts);
      }),
      { numRuns: 100 },
    );
  });

  it('joins lines that span pieces of the file, with letters cut in two', () => {
    const texts = ['a', 'ö'.repeat(400_000), 'b', '🙂'.repeat(200_001), ''];
    expect(lines(`${texts.join('\n')}\n`)).toEqual(texts);
  });

  it('needs no line feed at the end, and counts from 1', () => {
    writeFileSync(file, '\uFEFFa\nb');
    expect([...textLines(file)]).toEqual([
      { number: 1, text: 'a' },
      { number: 2, text: 'b' },
    ]);
    expect(lines('')).toEqual([]);
  });

  it('refuses a line past 64 MiB before it is in memory', () => {
    expect(() => lines(Buffer.alloc(65 * 2 ** 20, 'a'))).toThrow(
      expect.objectContaining({
        code: 'E_LIMIT_BYTES',
        message: expect.stringMatching(/lines\.txt:1: the line has more/),
      }),
    );
  });

  it('refuses what is no regular file', () => {
    const fifo = join(root, 'fifo');
    execFileSync('mkfifo', [fifo]);
    expect(() => [...textLines(fifo)]).toThrow(expect.objectContaining({ code: 'E_PATH_SPECIAL' }));
    expect(() => [...textLines(join(root, 'none'))]).toThrow(expect.objectContaining({ code: 'E_IO' }));
  });
});
