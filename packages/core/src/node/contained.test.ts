import { spawn } from 'node:child_process';
import { linkSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import * as b from '../../../../tools/fuzz/build.ts';
import { bytesAt, externalFixture, externalModel } from '../../../../tools/fuzz/external-fixture.ts';
import { OptimumError } from '../foundation/index.ts';
import { openContained } from './contained.ts';

const { place, put, expectRefused } = externalFixture();

describe('links', () => {
  it('out of the folder are refused', () => {
    symlinkSync(join(place.root, 'secret'), join(place.folder, 'link'));
    expectRefused(put({ location: 'link' }), 'E_PATH_ESCAPE', "outside the model's folder");
  });
  it('out of the folder over a linked folder are refused', () => {
    mkdirSync(join(place.root, 'other'));
    writeFileSync(join(place.root, 'other', 'data'), b.zeros(64));
    symlinkSync(join(place.root, 'other'), join(place.folder, 'sub'));
    expectRefused(put({ location: 'sub/data' }), 'E_PATH_ESCAPE', "outside the model's folder");
  });
  it('over two links are refused', () => {
    symlinkSync('../secret', join(place.folder, 'second'));
    symlinkSync('second', join(place.folder, 'first'));
    expectRefused(put({ location: 'first' }), 'E_PATH_ESCAPE', "outside the model's folder");
  });
  it('to a folder whose name only begins like that of the model are refused', () => {
    mkdirSync(join(place.root, 'models-other'));
    writeFileSync(join(place.root, 'models-other', 'data'), b.zeros(64));
    symlinkSync(join(place.root, 'models-other', 'data'), join(place.folder, 'link'));
    expectRefused(put({ location: 'link' }), 'E_PATH_ESCAPE', "outside the model's folder");
  });
  it('that lead nowhere say so', () => {
    symlinkSync('gone', join(place.folder, 'link'));
    expectRefused(put({ location: 'link' }), 'E_IO', 'there is no such file');
  });
  it('that lead to themselves say so', () => {
    symlinkSync('link', join(place.folder, 'link'));
    expectRefused(put({ location: 'link' }), 'E_PATH_LINK', 'symbolic link');
  });
  it('inside the folder are followed', () => {
    symlinkSync('data', join(place.folder, 'link'));
    expect(bytesAt(put({ location: 'link' }))).toHaveLength(16);
  });
  it('of the Hugging Face cache are followed', () => {
    const [blobs, snapshot] = [join(place.root, 'blobs'), join(place.root, 'snapshots/abc/onnx')];
    mkdirSync(blobs);
    mkdirSync(snapshot, { recursive: true });
    writeFileSync(join(blobs, '1111'), externalModel({ location: 'model.onnx_data' }));
    writeFileSync(join(blobs, '2222'), b.zeros(16));
    symlinkSync('../../../blobs/1111', join(snapshot, 'model.onnx'));
    symlinkSync('../../../blobs/2222', join(snapshot, 'model.onnx_data'));
    expect(bytesAt(join(snapshot, 'model.onnx'))).toHaveLength(16);
  });
  it('hard links are followed: package stores make them', () => {
    linkSync(join(place.root, 'secret'), join(place.folder, 'hard'));
    expect(bytesAt(put({ location: 'hard' }))).toHaveLength(16);
  });
  it('a model in a linked folder finds its data', () => {
    symlinkSync(place.folder, join(place.root, 'linked'));
    put({ location: 'data' });
    expect(bytesAt(join(place.root, 'linked', 'model.onnx'))).toHaveLength(16);
  });
});

/** Swaps a link between a file inside and one outside of the folder until it is ended. */
const swapper = `
const { renameSync, symlinkSync } = require('node:fs');
process.chdir(process.argv[1]);
for (;;) for (const target of ['data', '../secret']) {
  symlinkSync(target, 'next');
  renameSync('next', 'link');
}`;

describe('a link that changes while it is opened', () => {
  it.skipIf(process.platform === 'win32')('never leads to what lies outside', async () => {
    const path = put({ location: 'link' });
    symlinkSync('data', join(place.folder, 'link'));
    const child = spawn(process.execPath, ['-e', swapper, place.folder], { stdio: 'ignore' });
    await new Promise((done) => setTimeout(done, 200));
    let opened = 0;
    try {
      for (let round = 0; round < 3000; round++) {
        const first = firstByte(path);
        if (first !== undefined) opened++;
        expect(first ?? 0).toBe(0);
      }
    } finally {
      child.kill('SIGKILL');
      await new Promise((done) => child.on('close', done));
    }
    expect(opened).toBeGreaterThan(0);
  });
});

/** Of the file that the link leads to, or `undefined` where it is refused. */
function firstByte(path: string): number | undefined {
  try {
    const source = openContained(path, 'link');
    const byte = new Uint8Array(1);
    source.readInto(byte, 0);
    source.close();
    return byte[0];
  } catch (error) {
    if (!OptimumError.isInstance(error)) throw error;
    return undefined;
  }
}
