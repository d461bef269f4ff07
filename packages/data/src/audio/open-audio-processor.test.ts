import * as transformers from '@huggingface/transformers';
import type { TensorData } from '@optimum/core';
import { describe, expect, it } from 'vitest';
import { openAudioProcessor } from './open-audio-processor.ts';
import configs from './published-configs.json' with { type: 'json' };

transformers.env.allowRemoteModels = false;

type Result = Record<string, { dims: number[]; data: Float32Array | BigInt64Array }>;
type Classes = Record<string, new (config: object) => (samples: Float32Array) => Promise<Result>>;

/** What transformers.js makes of the same samples. */
async function oracle(config: Record<string, unknown>, samples: Float32Array): Promise<Result> {
  const type = config.feature_extractor_type as string;
  const Extractor = (transformers as unknown as Classes)[type];
  if (!Extractor) throw new Error(`transformers.js has no ${type}`);
  return await new Extractor(structuredClone(config))(samples);
}

const floatsOf = ({ bytes }: TensorData) => new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);

/** A chirp with noise that fades, as quiet as the end of speech. */
function clip(length: number): Float32Array {
  let state = length;
  return Float32Array.from({ length }, (_, index) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const tone = Math.sin(0.02 * index + 3e-6 * index * index);
    return Math.exp(-index / 9000) * (0.4 * tone + 0.1 * (state / 2 ** 31 - 1));
  });
}

const signals: Record<string, Float32Array> = {
  'half a second': clip(8_000),
  'a second and a bit': clip(17_123),
  'four seconds': clip(64_000),
  silence: new Float32Array(16_000),
  'one click': Float32Array.from({ length: 9_000 }, (_, index) => (index === 4_321 ? 1 : 0)),
  'a pure tone': Float32Array.from(
    { length: 16_000 },
    (_, index) => 0.8 * Math.sin((2 * Math.PI * 440 * index) / 16_000),
  ),
};

async function difference(config: Record<string, unknown>, samples: Float32Array): Promise<number> {
  const [ours, theirs] = await Promise.all([openAudioProcessor(config).process(samples), oracle(config, samples)]);
  expect(Object.keys(ours).sort()).toEqual(Object.keys(theirs).sort());
  let most = 0;
  for (const [name, tensor] of Object.entries(theirs)) {
    const own = ours[name] as TensorData;
    expect(own.dims).toEqual(tensor.dims);
    if (tensor.data instanceof BigInt64Array) {
      expect(Buffer.compare(own.bytes, new Uint8Array(tensor.data.buffer))).toBe(0);
      continue;
    }
    const values = floatsOf(own);
    tensor.data.forEach((value, index) => {
      most = Math.max(most, Math.abs(value - (values[index] as number)));
    });
  }
  return most;
}

/**
 * How far values may be apart. Waveforms are computed by the same steps and agree in every bit. In spectrograms the mel
 * sums are taken in another order (in double precision here, in float32 there), which moves an energy by a few of
 * float32's steps and its logarithm by one: 2^-22 for values around 1, 2^-19 for bare logarithms up to 16.
 */
const bounds: Record<string, number> = {
  'Wav2Vec2, normalized': 0,
  'Wav2Vec2 as it is': 0,
  Moonshine: 0,
  'Audio Spectrogram Transformer, cut': 2 ** -19,
  'SeamlessM4T, Wav2Vec2-BERT': 1e-5,
};

/** A sound that never changes has next to no variance: SeamlessM4T divides by as little as √1e-7, and a step with it. */
const boundOf = (name: string, signal: string): number =>
  name.startsWith('Seamless') && signal === 'a pure tone' ? 2 ** -19 / Math.sqrt(1e-7) : (bounds[name] ?? 2 ** -22);

describe('audio processors give what transformers.js gives', () => {
  for (const [name, config] of Object.entries<Record<string, unknown>>(configs)) {
    for (const [signal, samples] of Object.entries(signals)) {
      it(`${name}: ${signal}`, async () => {
        expect(await difference(config, samples)).toBeLessThanOrEqual(boundOf(name, signal));
      });
    }
  }

  it('with the filters that a configuration carries', async () => {
    const mel_filters = Array.from({ length: 5 }, (_, filter) =>
      Array.from({ length: 17 }, (_, bin) => (Math.abs(bin - 3 * filter) < 3 ? 0.1 * bin : 0)),
    );
    const sizes = { feature_size: 5, n_fft: 32, hop_length: 16, n_samples: 1600, nb_max_frames: 100 };
    const config = { feature_extractor_type: 'WhisperFeatureExtractor', sampling_rate: 16_000, mel_filters, ...sizes };
    expect(await difference(config, clip(1000))).toBeLessThanOrEqual(2 ** -22);
  });
});

describe('audio that cannot be processed', () => {
  const types = ['Whisper', 'Wav2Vec2', 'Moonshine', 'AST', 'SeamlessM4T'];

  it.each(types)('%s: none, NaN, infinity', async (type) => {
    const { process } = openAudioProcessor({ feature_extractor_type: `${type}FeatureExtractor` });
    await expect(process(new Float32Array(0))).rejects.toMatchObject({ code: 'E_DATA_INVALID' });
    await expect(process(new Float32Array(500).fill(Number.NaN, 77))).rejects.toThrow('Sample 77');
    await expect(process(new Float32Array(500).fill(-Infinity))).rejects.toMatchObject({ code: 'E_DATA_INVALID' });
  });

  it.each(['AST', 'SeamlessM4T'])('%s: shorter than it takes', async (type) => {
    const { process } = openAudioProcessor({ feature_extractor_type: `${type}FeatureExtractor` });
    await expect(process(new Float32Array(399))).rejects.toMatchObject({ code: 'E_DATA_INVALID' });
  });

  it('SeamlessM4T: one frame has no variance', async () => {
    const { process } = openAudioProcessor({ feature_extractor_type: 'SeamlessM4TFeatureExtractor' });
    await expect(process(new Float32Array(400))).rejects.toThrow('variance');
  });
});

describe('configurations that are refused', () => {
  const whisper = { feature_extractor_type: 'WhisperFeatureExtractor' };

  it.each([
    ['feature_extractor_type', {}],
    ['feature_extractor_type', { feature_extractor_type: 'ClapFeatureExtractor' }],
    ['feature_extractor_type', { feature_extractor_type: 'ViTFeatureExtractor' }],
    ['dither', { ...whisper, dither: 0.1 }],
    ['do_reverb', { ...whisper, do_reverb: true }],
    ['do_normalize', { feature_extractor_type: 'MoonshineFeatureExtractor', do_normalize: true }],
  ])('%s is not supported', (key, config) => {
    expect(() => openAudioProcessor(config)).toThrow(expect.objectContaining({ code: 'E_UNSUPPORTED_FEATURE' }));
    expect(() => openAudioProcessor(config)).toThrow(`"${key}"`);
  });

  it.each([
    ['n_fft', { n_fft: 1e9 }],
    ['n_fft', { n_fft: 0 }],
    ['hop_length', { hop_length: 0 }],
    ['feature_size', { feature_size: -1 }],
    ['feature_size', { feature_size: 1e7 }],
    ['sampling_rate', { sampling_rate: 1e12 }],
    ['sampling_rate', { sampling_rate: '16000' }],
    ['n_samples', { n_samples: 1e15 }],
    ['nb_max_frames', { nb_max_frames: 0.5 }],
    ['mel_filters', { mel_filters: [[1, 2, 3]] }],
    ['mel_filters', { mel_filters: [Array.from({ length: 201 }, () => Number.NaN)] }],
    ['mel_filters', { mel_filters: [] }],
  ])('%s is wrong', (key, config) => {
    expect(() => openAudioProcessor({ ...whisper, ...config })).toThrow(
      expect.objectContaining({ code: 'E_CONFIG_SCHEMA' }),
    );
    expect(() => openAudioProcessor({ ...whisper, ...config })).toThrow(`"${key}"`);
  });

  it('std 0 is wrong', () => {
    const config = { feature_extractor_type: 'ASTFeatureExtractor', std: 0 };
    expect(() => openAudioProcessor(config)).toThrow(expect.objectContaining({ code: 'E_CONFIG_SCHEMA' }));
  });

  it('what would take hours is refused', async () => {
    const config = { ...whisper, hop_length: 1, n_samples: 2 ** 24, nb_max_frames: 2 ** 18, n_fft: 2048 };
    await expect(openAudioProcessor(config).process(new Float32Array(9))).rejects.toMatchObject({
      code: 'E_LIMIT_ELEMENTS',
    });
  });
});
