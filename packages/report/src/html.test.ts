import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { escapeHtml, html, lines, type Part } from './html.ts';

describe('html', () => {
  it('escapes what closes an element or an attribute', () => {
    expect(`${html`<p title="${'"><script>'}">${"a & b's"}</p>`}`).toBe(
      '<p title="&quot;&gt;&lt;script&gt;">a &amp; b&#39;s</p>',
    );
  });

  it('leaves markup, joins lists and drops what is absent', () => {
    expect(`${html`<ul>${[1, 2].map((n) => html`<li>${n}</li>`)}${undefined}${false}</ul>`}`).toBe(
      '<ul><li>1</li><li>2</li></ul>',
    );
  });

  it('shows control characters and turns of direction by their code', () => {
    expect(escapeHtml('a\u0000b\u202ec')).toBe('a\\u0000b\\u202ec');
  });

  it('keeps the ends of lines in what is preformatted', () => {
    expect(`${html`${lines('a<\nb')}`}`).toBe('a&lt;\nb');
  });

  it('takes nothing out of a file for markup, whatever its shape', () => {
    const fake = JSON.parse('{"markup":"<script>","toString":null}') as Part;
    expect(() => `${html`${fake}`}`).toThrow(TypeError);
    const named = { toString: () => '<script>' } as unknown as Part;
    expect(`${html`${named}`}`).toBe('&lt;script&gt;');
  });

  it('lets no character through that HTML gives a meaning', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'<>"\'&;=/! \n\ta1') }), (text) => {
        const escaped = escapeHtml(text);
        expect(escaped).not.toMatch(/[<>"'\n\t]/);
        expect(escaped).not.toMatch(/&(?!(amp|lt|gt|quot|#39);)/);
      }),
    );
  });
});
