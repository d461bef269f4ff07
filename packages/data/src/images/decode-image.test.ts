import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RawImage } from '@huggingface/transformers';
import sharp from 'sharp';
import { afterAll, describe, expect, it } from 'vitest';
import { decodeImage } from './decode-image.ts';
import { loadSharp } from './load-sharp.ts';

const folder = mkdtempSync(join(tmpdir(), 'optimum-images-'));
afterAll(() => rmSync(folder, { recursive: true }));

const levels = Uint8Array.from({ length: 23 * 17 * 4 }, (_, index) => (index * 37 + (index >> 3)) % 256);
const source = () => sharp(levels, { raw: { width: 23, height: 17, channels: 4 } });
const gray = () => source().removeAlpha().toColourspace('b-w');

const files: Record<string, () => Promise<Buffer>> = {
  png: () => source().removeAlpha().png().toBuffer(),
  'png with opacity': () => source().png().toBuffer(),
  'gray png': () => gray().png().toBuffer(),
  'png of 16 bits': () => source().removeAlpha().toColourspace('rgb16').png().toBuffer(),
  'png with a palette': () => source().removeAlpha().png({ palette: true }).toBuffer(),
  jpeg: () => source().removeAlpha().jpeg().toBuffer(),
  'gray jpeg': () => gray().jpeg().toBuffer(),
  'cmyk jpeg': () => source().removeAlpha().toColourspace('cmyk').jpeg().toBuffer(),
  'jpeg on its side': () => source().removeAlpha().withMetadata({ orientation: 6 }).jpeg().toBuffer(),
  webp: () => source().webp().toBuffer(),
  gif: () => source().gif().toBuffer(),
  tiff: () => source().removeAlpha().tiff().toBuffer(),
};

describe('decoding gives the pixels of transformers.js', () => {
  for (const [name, encode] of Object.entries(files)) {
    it(name, async () => {
      const bytes = await encode();
      const theirs = await RawImage.fromBlob(new Blob([new Uint8Array(bytes)]));
      const path = join(folder, name.replaceAll(' ', '-'));
      writeFileSync(path, bytes);
      for (const ours of [await decodeImage(bytes), await decodeImage(path)]) {
        const { width, height, channels } = ours;
        expect({ width, height, channels }).toEqual({
          width: theirs.width,
          height: theirs.height,
          channels: theirs.channels,
        });
        expect(Buffer.compare(ours.data, new Uint8Array(theirs.data))).toBe(0);
      }
    });
  }

  it('gray with opacity, which that library refuses, is RGBA', async () => {
    const bytes = await source().toColourspace('b-w').png().toBuffer();
    expect((await sharp(bytes).metadata()).channels).toBe(2);
    const image = await decodeImage(bytes);
    expect(image.channels).toBe(4);
    expect(image.data[0]).toBe(image.data[2]);
  });
});

describe('what cannot be decoded', () => {
  it('names the file', async () => {
    const path = join(folder, 'broken.png');
    writeFileSync(path, 'no image at all');
    await expect(decodeImage(path)).rejects.toMatchObject({ code: 'E_DATA_INVALID' });
    await expect(decodeImage(path)).rejects.toThrow('broken.png');
    await expect(decodeImage(new Uint8Array(3), 'photo 7')).rejects.toThrow('"photo 7"');
  });

  it('is an error wherever a PNG or JPEG ends early', async () => {
    for (const encode of [files.png, files.jpeg]) {
      const bytes = await (encode as () => Promise<Buffer>)();
      for (const share of [0, 0.02, 0.2, 0.5, 0.8, 0.97]) {
        const cut = bytes.subarray(0, Math.floor(bytes.length * share));
        await expect(decodeImage(cut), `${share}`).rejects.toMatchObject({ code: 'E_DATA_INVALID' });
      }
    }
  });

  it('is an error where bytes were changed, or an image', async () => {
    const bytes = await (files.png as () => Promise<Buffer>)();
    for (let at = 0; at < bytes.length; at += 29) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] as number) ^ 0x5a;
      const result = await decodeImage(changed).catch((error: unknown) => error);
      if (result instanceof Error) expect(result).toMatchObject({ code: expect.stringMatching(/^E_(DATA|LIMIT)_/) });
      else expect(result).toMatchObject({ width: 23, height: 17 });
    }
  });

  it('drawings are refused: they are programs without pixels', async () => {
    const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="4" height="4"><rect width="4" height="4"/></svg>';
    await expect(decodeImage(Buffer.from(svg))).rejects.toThrow('its format is svg');
  });

  it('a file that is not there is an input error', async () => {
    await expect(decodeImage(join(folder, 'none.png'))).rejects.toMatchObject({ code: 'E_IO' });
    await expect(decodeImage(folder)).rejects.toMatchObject({ code: 'E_IO' });
  });

  it('a small file that claims to be huge is not unpacked', async () => {
    const bytes = await sharp({ create: { width: 9000, height: 9000, channels: 3, background: '#000' } })
      .png()
      .toBuffer();
    await expect(decodeImage(bytes)).rejects.toMatchObject({ code: 'E_LIMIT_ELEMENTS' });
  });

  it('without sharp the message is the command that installs it', async () => {
    const missing = () => Promise.reject(new Error("Cannot find package 'sharp'"));
    await expect(loadSharp(missing)).rejects.toMatchObject({
      code: 'E_UNSUPPORTED_FEATURE',
      hint: 'npm install sharp',
    });
  });
});
