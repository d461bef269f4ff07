import { OptimumError } from '@optimum/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import wavefile from 'wavefile';
import { decodeWav } from './decode-wav.ts';

const rate = 16_000;

/** A WAV file as wavefile writes it. Samples are given in the range of the encoding. */
function wav(channels: readonly ArrayLike<number>[], bits: string, samplingRate = rate): Uint8Array {
  const file = new wavefile.WaveFile();
  const samples = channels.length === 1 ? (channels[0] as number[]) : (channels as number[][]);
  file.fromScratch(channels.length, samplingRate, bits, samples as number[]);
  return file.toBuffer();
}

const wave = (length: number, size: number, step = 0.05) =>
  Float64Array.from({ length }, (_, index) => Math.round(size * Math.sin(step * index)));

/** What the transformers.js guide for audio in Node does, as it stands there. */
function guide(bytes: Uint8Array, samplingRate: number): Float64Array {
  const file = new wavefile.WaveFile(bytes);
  file.toBitDepth('32f');
  if (samplingRate !== (file.fmt as { sampleRate: number }).sampleRate) file.toSampleRate(samplingRate);
  const samples = file.getSamples() as Float64Array | Float64Array[];
  if (!Array.isArray(samples)) return samples;
  const [left, right] = samples as [Float64Array, Float64Array];
  return left.map((value, index) => (Math.sqrt(2) * (value + (right[index] as number))) / 2);
}

const data = (bytes: Uint8Array) => Buffer.from(bytes).indexOf('data');

describe('decoding gives what the transformers.js guide gives', () => {
  it.each([
    ['8', 100, 128],
    ['16', 30_000, 0],
    ['24', 8e6, 0],
    ['32', 2e9, 0],
    ['32f', 1, 0],
    ['64', 1, 0],
  ] as const)('%s bits: mono, stereo, three channels; 8 to 48 kHz', async (bits, size, zero) => {
    const isFloat = bits === '32f' || bits === '64';
    const one = wave(800, isFloat ? 1000 : size).map((value) => (isFloat ? value / 1000 : value + zero));
    const two = wave(800, isFloat ? 1000 : size, 0.3).map((value) => (isFloat ? value / 1000 : value + zero));
    for (const channels of [[one], [one, two], [two, one, two]]) {
      for (const from of [8_000, rate, 44_100, 48_000]) {
        const bytes = wav(channels, bits, from);
        expect([...(await decodeWav(bytes, rate))]).toEqual([...Float32Array.from(guide(bytes, rate))]);
      }
    }
  });

  it('at the same rate every sample stays, since no filter touches it', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.float({ noNaN: true, min: -1, max: 1 }), { minLength: 1, maxLength: 50 }),
        async (samples) => {
          expect(await decodeWav(wav([samples], '32f'), rate)).toEqual(Float32Array.from(samples));
        },
      ),
    );
  });
});

describe('what wavefile alone reads wrongly', () => {
  it('float in an extensible format is float', async () => {
    const plain = Buffer.from(wav([[0.5, -0.25, 1]], '32f'));
    const format = Buffer.alloc(48);
    format.write('fmt ', 0);
    format.writeUInt32LE(40, 4);
    plain.copy(format, 8, 20, 36);
    format.writeUInt16LE(0xfffe, 8);
    format.writeUInt16LE(22, 24);
    format.writeUInt16LE(32, 26);
    format.writeUInt16LE(3, 32);
    const bytes = Buffer.concat([plain.subarray(0, 12), format, plain.subarray(data(plain))]);
    expect([...(await decodeWav(bytes, rate))]).toEqual([0.5, -0.25, 1]);
  });

  it.each(['8a', '8m'])('%s samples stay within −1 … 1', async (bits) => {
    const file = new wavefile.WaveFile(wav([wave(400, 20_000)], '16'));
    if (bits === '8a') file.toALaw();
    else file.toMuLaw();
    const samples = await decodeWav(file.toBuffer(), rate);
    const expected = wave(400, 20_000).map((value) => value / 32_768);
    // Both laws keep about 13 bits of the loudest and steps of a thirtieth of each value.
    samples.forEach((value, index) => expect(Math.abs(value - (expected[index] as number))).toBeLessThan(0.04));
  });
});

describe('files that are damaged', () => {
  const bytes = Buffer.from(wav([wave(200, 9_000)], '16'));

  it('end anywhere', async () => {
    for (let length = 0; length < bytes.length; length++) {
      await expect(decodeWav(bytes.subarray(0, length), rate, 'cut.wav'), `${length}`).rejects.toMatchObject({
        code: 'E_DATA_INVALID',
        message: expect.stringContaining('cut.wav'),
      });
    }
    expect(await decodeWav(bytes, rate)).toHaveLength(200);
  });

  it('have a header that says what cannot be', async () => {
    const edit = (change: (copy: Buffer) => void) => {
      const copy = Buffer.from(bytes);
      change(copy);
      return decodeWav(copy, rate);
    };
    const refused = { code: 'E_DATA_INVALID' };
    await expect(edit((copy) => copy.writeUInt16LE(17, 20))).rejects.toMatchObject(refused);
    await expect(edit((copy) => copy.writeUInt16LE(0, 22))).rejects.toMatchObject(refused);
    await expect(edit((copy) => copy.writeUInt16LE(65_535, 22))).rejects.toMatchObject(refused);
    await expect(edit((copy) => copy.writeUInt32LE(0, 24))).rejects.toMatchObject(refused);
    await expect(edit((copy) => copy.writeUInt32LE(4e9, 24))).rejects.toMatchObject(refused);
    await expect(edit((copy) => copy.writeUInt16LE(17, 34))).rejects.toMatchObject(refused);
    await expect(edit((copy) => copy.writeUInt32LE(3, 16))).rejects.toMatchObject(refused);
    await expect(edit((copy) => copy.write('RIFX', 0))).rejects.toMatchObject(refused);
  });

  it('have any bytes changed', async () => {
    const change = fc.array(fc.tuple(fc.nat({ max: 60 }), fc.nat({ max: 255 })), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(change, async (changes) => {
        const copy = Buffer.from(bytes);
        for (const [at, value] of changes) copy[at] = value;
        const result = await decodeWav(copy, rate).catch((error: unknown) => error);
        expect(result instanceof Float32Array || OptimumError.isInstance(result)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it('hold NaN', async () => {
    await expect(decodeWav(wav([[0, Number.NaN, 0]], '32f'), rate)).rejects.toThrow('sample 1 is NaN');
  });

  it('claim millions of cue points: they are not looked at', async () => {
    const cue = Buffer.alloc(12);
    cue.write('cue ', 0);
    cue.writeUInt32LE(4, 4);
    cue.writeUInt32LE(0xffff_ffff, 8);
    const from = data(bytes);
    const hostile = Buffer.concat([bytes.subarray(0, from), cue, bytes.subarray(from)]);
    expect(await decodeWav(hostile, rate)).toHaveLength(200);
  });

  it('have chunks of odd length before the data: the next one begins at an even place', async () => {
    const note = Buffer.from('note\x03\0\0\0abc\0', 'latin1');
    const from = data(bytes);
    expect(await decodeWav(Buffer.concat([bytes.subarray(0, from), note, bytes.subarray(from)]), rate)).toHaveLength(
      200,
    );
  });

  it('written as a stream have no length, and go on to the end', async () => {
    const stream = Buffer.from(bytes);
    stream.writeUInt32LE(0xffff_ffff, data(bytes) + 4);
    expect(await decodeWav(stream, rate)).toEqual(await decodeWav(bytes, rate));
  });

  it('without samples give none', async () => {
    const empty = Buffer.from(bytes.subarray(0, data(bytes) + 8));
    empty.writeUInt32LE(0, data(bytes) + 4);
    expect(await decodeWav(empty, rate)).toHaveLength(0);
  });

  it('are asked for at an impossible rate', async () => {
    for (const wrong of [0, -1, 1e9, 0.5, Number.NaN])
      await expect(decodeWav(bytes, wrong)).rejects.toMatchObject({ code: 'E_USAGE' });
  });

  it('would grow past the limit', async () => {
    const slow = wav([new Float64Array(2000)], '16', 1);
    await expect(decodeWav(slow, 768_000)).rejects.toMatchObject({ code: 'E_LIMIT_ELEMENTS' });
  });
});
