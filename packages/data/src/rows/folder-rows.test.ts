import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { selectRows } from '../selection.ts';
import { openFolder } from './folder-rows.ts';

let root = '';
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'optimum-folder-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const write = (...names: readonly string[]): void => {
  for (const name of names) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), name);
  }
};

async function rowsOf(folder: string) {
  const reader = openFolder(folder);
  const rows = [];
  for await (const row of reader.rows(selectRows(reader.total))) rows.push(row);
  return { reader, rows };
}

describe('openFolder', () => {
  it('finds images in the order of their names, with the folder as label', async () => {
    write('b/2.PNG', 'a/10.jpg', 'a/9.jpeg', 'c.webp', 'README.md', '.hidden.png', '.git/x.png');
    const { reader, rows } = await rowsOf(root);
    expect(rows.map(({ index, place, fields }) => [index, place.text, fields.label])).toEqual([
      [0, join(root, 'a/10.jpg'), 'a'],
      [1, join(root, 'a/9.jpeg'), 'a'],
      [2, join(root, 'b/2.PNG'), 'b'],
      [3, join(root, 'c.webp'), undefined],
    ]);
    expect(reader.columns).toEqual({ image: 'image' });
  });

  it('finds WAV files, and follows links that stay inside', async () => {
    write('data/one.wav');
    symlinkSync('data/one.wav', join(root, 'two.wav'));
    const { reader, rows } = await rowsOf(root);
    expect(rows.map(({ place }) => place.text)).toEqual([join(root, 'data/one.wav'), join(root, 'two.wav')]);
    expect(reader.columns).toEqual({ audio: 'audio' });
  });

  it.each([
    ['outside.png', '../secret.png', 'E_PATH_ESCAPE', /outside\.png: the file .* leads to .*outside of the folder/],
    ['dangling.png', 'nowhere.png', 'E_IO', /dangling\.png cannot be read: there is no such file/],
    ['circle.png', 'circle.png', 'E_IO', /circle\.png cannot be read: its symbolic links lead in a circle/],
  ])('refuses the link %s', async (name, target, code, message) => {
    const folder = join(root, 'images');
    write('secret.png', 'images/fine.png');
    symlinkSync(target, join(folder, name));
    expect(() => openFolder(folder)).toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(message) }),
    );
  });

  it('does not go into linked folders', async () => {
    write('images/fine.png');
    symlinkSync('..', join(root, 'images/up'));
    expect((await rowsOf(join(root, 'images'))).reader.total).toBe(1);
  });

  it('says what a folder without use holds', () => {
    expect(() => openFolder(root)).toThrow(/the folder holds no file/);
    write('notes.md', 'song.mp3');
    expect(() => openFolder(root)).toThrow(/none of the 2 files is an image or a WAV/);
    write('train.parquet');
    expect(() => openFolder(root)).toThrow(
      expect.objectContaining({
        code: 'E_DATA_INVALID',
        hint: `Name the file itself: ${join(root, 'train.parquet')}.`,
      }),
    );
    write('a.png', 'b.wav');
    expect(() => openFolder(root)).toThrow(/both images and audio/);
  });
});
