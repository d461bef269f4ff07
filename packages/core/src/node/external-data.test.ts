import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import * as b from '../../../../tools/fuzz/build.ts';
import { errorOf } from '../../../../tools/fuzz/expect-refused.ts';
import { bytesAt, type Entries, externalFixture } from '../../../../tools/fuzz/external-fixture.ts';
import { relativePathProblem } from '../foundation/index.ts';
import { loadModelSync } from './load-model.ts';

const { place, put, expectRefused } = externalFixture();

const escapes: readonly (readonly [string, string])[] = [
  ['../secret', 'goes up'],
  ['a/../../secret', 'goes up'],
  ['a/../data', 'goes up'],
  ['./../secret', 'goes up'],
  ['..', 'goes up'],
  ['a/..', 'goes up'],
  ['..\\secret', 'goes up'],
  ['a\\..\\..\\secret', 'goes up'],
  ['a/..\\../secret', 'goes up'],
  ['.. /secret', 'goes up on Windows'],
  ['.../secret', 'goes up on Windows'],
  ['.. .\\secret', 'goes up on Windows'],
  ['/etc/passwd', 'absolute'],
  ['//host/share', 'absolute'],
  ['\\secret', 'absolute'],
  ['\\\\host\\share\\x', 'absolute'],
  ['\\\\?\\C:\\x', 'absolute'],
  ['C:\\secret', 'colon'],
  ['C:secret', 'colon'],
  ['c:/secret', 'colon'],
  ['data:stream', 'colon'],
  ['file:///etc/passwd', 'colon'],
  ['data\0.bin', 'NUL'],
  ['d'.repeat(5000), 'too long'],
];

describe('names of external data', () => {
  it.each(escapes)('%j is refused on every system', (location, why) => {
    expect(relativePathProblem(location)).toContain(why);
    expectRefused(put({ location }), 'E_PATH_ESCAPE', why);
  });

  it('an empty one is refused', () => expectRefused(put({ location: '' }), 'E_MODEL_INVALID', 'names no location'));
  it('a missing one is refused', () => expectRefused(put({ offset: '0' }), 'E_MODEL_INVALID', 'names no location'));
  it.each(['%2e%2e/secret', '..%2fsecret', '..%5csecret', '\uff0e\uff0e/secret', '~/secret', '$HOME/secret'])(
    '%s is a name like any other: nothing is decoded',
    (location) => expectRefused(put({ location }), 'E_IO', 'there is no such file'),
  );
  it.each(['data', './data', 'sub/data', 'sub//./data', '..data', 'a..b', '.data', 'données 🙂', 'data with spaces'])(
    '%s is accepted',
    (location) => {
      mkdirSync(join(place.folder, 'sub'));
      writeFileSync(join(place.folder, location), b.zeros(64));
      expect(bytesAt(put({ location }))).toHaveLength(16);
    },
  );
});

const ranges: readonly (readonly [string, Entries, string])[] = [
  ['a negative offset', { offset: '-4' }, 'the offset of its external data is "-4"'],
  ['a negative length', { length: '-16' }, 'the length of its external data is "-16"'],
  ['an offset that is no number', { offset: 'NaN' }, 'the offset of its external data is "NaN"'],
  ['an empty offset', { offset: '' }, 'the offset of its external data is ""'],
  ['an offset with a fraction', { offset: '1.5' }, 'expected a whole number'],
  ['an offset with an exponent', { offset: '1e1' }, 'expected a whole number'],
  ['an offset in base 16', { offset: '0x10' }, 'expected a whole number'],
  ['an offset with a sign', { offset: '+4' }, 'expected a whole number'],
  ['an offset with a space', { offset: ' 4' }, 'expected a whole number'],
  ['an infinite length', { length: 'Infinity' }, 'expected a whole number'],
  ['an offset past 2^53', { offset: '9007199254740993' }, 'expected a whole number'],
  ['petabytes', { offset: '1125899906842624' }, 'which has 64'],
  ['an offset at the end', { offset: '64' }, 'lies at bytes 64 to 80 of "data", which has 64'],
  ['an end past the end', { offset: '49' }, 'lies at bytes 49 to 65 of "data", which has 64'],
  ['a length that is not that of the shape', { length: '15' }, 'says 15 bytes, but float32 [4] needs 16'],
  ['a length of 0', { length: '0' }, 'says 0 bytes, but float32 [4] needs 16'],
  ['a length longer than the shape', { length: '64' }, 'says 64 bytes, but float32 [4] needs 16'],
];

describe('ranges of external data', () => {
  it.each(ranges)('%s is refused', (_name, entries, place) =>
    expectRefused(put({ location: 'data', ...entries }), 'E_MODEL_INVALID', place),
  );

  it('that overlap are refused', () =>
    expectRefused(
      put({ location: 'data' }, { location: 'data', offset: '8' }),
      'E_MODEL_INVALID',
      'tensors "w0" and "w1" overlap in "data": bytes 0 to 16 and 8 to 24',
    ));
  it('that overlap under two names of one file are refused', () =>
    expectRefused(put({ location: 'data' }, { location: './data', offset: '8' }), 'E_MODEL_INVALID', 'overlap'));
  it('that are the same are one weight', () =>
    expect(bytesAt(put({ location: 'data', offset: '4' }, { location: './data', offset: '4' }), 1)[0]).toBe(4));
  it('that touch are two weights, and need no length', () =>
    expect(bytesAt(put({ location: 'data', offset: '48' }, { location: 'data', offset: '32', length: '16' }))[0]).toBe(
      48,
    ));
  it('keys that are not known are let through', () =>
    expect(bytesAt(put({ location: 'data', checksum: 'abc' }))).toHaveLength(16));
});

describe('files of external data', () => {
  it('that are missing name model, tensor and remedy', () => {
    const path = put({ location: 'model.onnx_data' });
    expectRefused(path, 'E_IO', 'tensor "w0"');
    expect(errorOf(() => loadModelSync(path)).hint).toContain('Put that file beside the model');
  });
  it('that are folders are refused', () => {
    mkdirSync(join(place.folder, 'sub'));
    expectRefused(put({ location: 'sub' }), 'E_PATH_SPECIAL', 'is a folder');
  });
  it('the folder itself is refused', () => expectRefused(put({ location: '.' }), 'E_PATH_ESCAPE', 'outside'));
  it('in a file instead of a folder are refused', () =>
    expectRefused(put({ location: 'data/data' }), 'E_IO', 'a part of the path is a file'));
  it.skipIf(process.platform === 'win32')('that are FIFOs are refused without waiting', () => {
    execFileSync('mkfifo', [join(place.folder, 'fifo')]);
    expectRefused(put({ location: 'fifo' }), 'E_PATH_SPECIAL', 'is a FIFO');
  });
  it.skipIf(process.platform === 'win32')('that are devices are refused', () => {
    symlinkSync('/dev/zero', join(place.folder, 'zero'));
    expectRefused(put({ location: 'zero' }), 'E_PATH_ESCAPE', 'outside');
  });
  it('that are the model are refused', () =>
    expectRefused(put({ location: 'model.onnx' }), 'E_MODEL_INVALID', 'names itself'));
  it('that are the model under another name are refused', () => {
    symlinkSync('model.onnx', join(place.folder, 'alias'));
    expectRefused(put({ location: 'alias' }), 'E_MODEL_INVALID', 'names itself');
  });
  it('that are too short are refused', () => {
    writeFileSync(join(place.folder, 'short'), b.zeros(15));
    expectRefused(put({ location: 'short' }), 'E_MODEL_INVALID', 'which has 15');
  });
  it('that are git-lfs pointers are too short for their weights', () => {
    writeFileSync(join(place.folder, 'pointer'), 'version');
    expectRefused(put({ location: 'pointer' }), 'E_MODEL_INVALID', 'which has 7');
  });
  it('that are empty serve empty tensors', () => {
    writeFileSync(join(place.folder, 'none'), '');
    const path = join(place.folder, 'model.onnx');
    writeFileSync(path, b.modelOf(b.initializer('w0', 1, [0], b.external({ location: 'none' }))));
    expect(bytesAt(path)).toEqual([]);
  });
  it('in numbers past the limit are refused', () => {
    const path = put({ location: 'data' }, { location: './data', offset: '16' });
    const error = errorOf(() => loadModelSync(path, { limits: { externalFiles: 1 } }));
    expect(error.code).toBe('E_LIMIT_OBJECTS');
    expect(error.hint).toContain('limits.externalFiles');
  });
});
