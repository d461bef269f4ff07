import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { typedCommand } from './typed-command.ts';

describe('typedCommand', () => {
  it('leaves plain arguments as they are', () => {
    expect(typedCommand(['quantize', './model', '--exclude', 're:query', '-o', 'out'])).toBe(
      'optimum quantize ./model --exclude re:query -o out',
    );
    expect(typedCommand(["it's", 'a b', ''])).toBe("optimum 'it'\\''s' 'a b' ''");
  });

  it.skipIf(process.platform === 'win32')('gives a shell the same arguments again', () => {
    const argument = fc.string({ unit: 'grapheme-ascii' }).filter((text) => !text.includes('\0'));
    fc.assert(
      fc.property(fc.array(argument, { minLength: 1, maxLength: 5 }), (args) => {
        const script = `optimum() { printf '%s\\0' "$@"; }; ${typedCommand(args)}`;
        const shown = execFileSync('sh', ['-c', script], { encoding: 'utf8' });
        expect(shown).toBe(args.map((one) => `${one}\0`).join(''));
      }),
      { numRuns: 50 },
    );
  });
});
