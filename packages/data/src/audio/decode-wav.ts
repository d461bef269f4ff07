import { OptimumError, quote } from '@optimum/core';
import { damagedWav, type WavChunks, wavChunks } from './riff-chunks.ts';

/** 16.8 million samples of all channels: 17 minutes at 16 kHz, for which wavefile takes some 500 MB. */
export const maxAudioSamples = 2 ** 24;

const maxSamplingRate = 768_000;
const maxChannels = 64;

/** Encodings by their number in the format chunk. @source RFC 2361, appendix A */
const encodings: ReadonlyMap<number, string> = new Map([
  [1, 'pcm'],
  [3, 'float'],
  [6, 'a-law'],
  [7, 'mu-law'],
]);

/** The number of the extensible format, which has the encoding's number 24 bytes into the chunk. */
const extensible = 0xfffe;

interface WavFormat {
  readonly encoding: number;
  readonly channels: number;
  readonly samplingRate: number;
  readonly bits: number;
}

/**
 * Decodes a WAV file to one channel at the rate asked for, with wavefile, as the transformers.js guide for Node does:
 * samples as −1 … 1; of two channels the sum times √2 / 2; of more than two the same of the first two; cubic resampling
 * with a low-pass filter. At the rate of the file nothing is filtered.
 * @param samplingRate in Hertz
 * @param name what messages call the file
 * @returns one value per sample, possibly none
 * @source huggingface/transformers.js, docs/source/guides/node-audio-processing.md
 * @throws E_DATA_INVALID when it is no WAV file, damaged, of an unknown encoding, or NaN or infinity is in it; E_USAGE for
 *   an impossible `samplingRate`; E_LIMIT_ELEMENTS past `maxAudioSamples`
 */
export async function decodeWav(bytes: Uint8Array, samplingRate: number, name = 'in memory'): Promise<Float32Array> {
  if (!Number.isInteger(samplingRate) || samplingRate < 1 || samplingRate > maxSamplingRate)
    throw new OptimumError(
      'E_USAGE',
      `Audio has from 1 to ${maxSamplingRate} samples per second, not ${samplingRate}.`,
    );
  const shown = quote(name, 300);
  const chunks = wavChunks(bytes, shown);
  const format = readFormat(chunks, shown);
  const frameBytes = (format.channels * format.bits) / 8;
  const count = Math.floor(chunks.data.length / frameBytes);
  checkCount(count * format.channels * Math.max(1, samplingRate / format.samplingRate), shown);
  if (count === 0) return new Float32Array(0);
  const file = plainFile(chunks.data.subarray(0, count * frameBytes), format);
  const samples = mixed(await convert(file, format, samplingRate, shown));
  const bad = samples.findIndex((sample) => !Number.isFinite(sample));
  if (bad >= 0) throw damagedWav(shown, `sample ${bad} is ${samples[bad]}`);
  return samples;
}

function readFormat({ format }: WavChunks, shown: string): WavFormat {
  const view = new DataView(format.buffer, format.byteOffset, format.byteLength);
  if (format.length < 16) throw damagedWav(shown, 'its format chunk is too short');
  const tag = view.getUint16(0, true);
  const encoding = tag === extensible && format.length >= 26 ? view.getUint16(24, true) : tag;
  const [channels, bits] = [view.getUint16(2, true), view.getUint16(14, true)];
  const samplingRate = view.getUint32(4, true);
  const kind = encodings.get(encoding);
  if (kind === undefined) throw damagedWav(shown, `its encoding has the number ${encoding}`);
  const widths = { pcm: [8, 16, 24, 32], float: [32, 64] }[kind] ?? [8];
  if (!widths.includes(bits)) throw damagedWav(shown, `${kind} of ${bits} bits is not read`);
  if (channels < 1 || channels > maxChannels) throw damagedWav(shown, `it has ${channels} channels`);
  if (samplingRate < 1 || samplingRate > maxSamplingRate)
    throw damagedWav(shown, `it has ${samplingRate} samples per second`);
  return { encoding, channels, samplingRate, bits };
}

function checkCount(samples: number, shown: string): void {
  if (samples <= maxAudioSamples) return;
  throw new OptimumError('E_LIMIT_ELEMENTS', `The audio ${shown} has ${Math.ceil(samples)} samples.`, {
    hint: `At most ${maxAudioSamples} are read: cut it into shorter clips.`,
    context: { file: shown, limit: maxAudioSamples },
  });
}

/** The channels of a file as 32-bit float at the rate asked for, by wavefile. */
async function convert(bytes: Uint8Array, format: WavFormat, samplingRate: number, shown: string) {
  // CommonJS is the default export where it is imported, and the module itself where our own form is CommonJS.
  const loaded = await import('wavefile');
  const { WaveFile } = loaded.default ?? loaded;
  try {
    const file = new WaveFile(bytes);
    // Its conversion to float takes the width of compressed samples for that of the decoded ones.
    if (format.encoding === 6) file.fromALaw();
    if (format.encoding === 7) file.fromMuLaw();
    file.toBitDepth('32f');
    // Filtering at the rate that the file has would only damage it.
    if (samplingRate !== format.samplingRate) file.toSampleRate(samplingRate);
    return file.getSamples() as Float64Array | Float64Array[];
  } catch (cause) {
    throw damagedWav(shown, cause instanceof Error ? cause.message : String(cause), cause);
  }
}

/** A file of these samples alone, with a plain format chunk, whatever the original had. */
function plainFile(data: Uint8Array, { encoding, channels, samplingRate, bits }: WavFormat): Uint8Array {
  const header = new DataView(new ArrayBuffer(44));
  const frameBytes = (channels * bits) / 8;
  const text = (at: number, tag: string) =>
    [...tag].forEach((sign, index) => header.setUint8(at + index, sign.charCodeAt(0)));
  text(0, 'RIFF');
  header.setUint32(4, 36 + data.length, true);
  text(8, 'WAVEfmt ');
  header.setUint32(16, 16, true);
  header.setUint16(20, encoding, true);
  header.setUint16(22, channels, true);
  header.setUint32(24, samplingRate, true);
  header.setUint32(28, samplingRate * frameBytes, true);
  header.setUint16(32, frameBytes, true);
  header.setUint16(34, bits, true);
  text(36, 'data');
  header.setUint32(40, data.length, true);
  const file = new Uint8Array(44 + data.length);
  file.set(new Uint8Array(header.buffer));
  file.set(data, 44);
  return file;
}

/** One channel: alone as it is, of several the first two at equal loudness. */
function mixed(channels: Float64Array | Float64Array[]): Float32Array {
  if (!Array.isArray(channels)) return Float32Array.from(channels);
  const [left, right] = channels as [Float64Array, Float64Array];
  return Float32Array.from(left, (sample, index) => (Math.SQRT2 * (sample + (right[index] as number))) / 2);
}
