import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { zooPaths } from '../../../../../tools/testing/zoo.ts';
import type { Model } from '../../ir/index.ts';
import { loadModelSync } from '../../node/load-model.ts';
import { smoothQuant, smoothQuantRequests } from './smooth-quant.ts';
import { type Feeds, observe, quantized, relativeDistance, runModel } from './test-layers.ts';

const paths = zooPaths('models/fsdd-outlier.onnx', 'data/fsdd-calibration.safetensors', 'data/fsdd-test.safetensors');

interface Clip {
  readonly label: number;
  readonly feeds: Feeds;
}

/** Log-mel clips and their digits from a safetensors file. */
function clipsOf(path: string): Clip[] {
  const bytes = readFileSync(path);
  const start = 8 + Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.subarray(8, start).toString()) as Record<
    'log_mel' | 'labels',
    { shape: number[]; data_offsets: [number, number] }
  >;
  const dataOf = ({ data_offsets: [from, to] }: { data_offsets: [number, number] }) =>
    bytes.subarray(start + from, start + to);
  const [count = 0, ...dims] = header.log_mel.shape;
  const [mels, labels] = [dataOf(header.log_mel), dataOf(header.labels)];
  const byteLength = mels.byteLength / count;
  return Array.from({ length: count }, (_, index) => ({
    label: labels[index] as number,
    feeds: {
      log_mel: {
        elementType: 'float32',
        dims: [1, ...dims],
        bytes: mels.subarray(index * byteLength, (index + 1) * byteLength),
      },
    },
  }));
}

describe.skipIf(!paths)('smoothQuant on spoken digits with planted outliers', () => {
  const [model = '', calibration = '', test = ''] = paths ?? [];

  it('brings dynamic int8 from 0.87 to 0.99 and more', async () => {
    const load = (): Model => loadModelSync(model).model;
    const feeds = clipsOf(calibration).map((clip) => clip.feeds);
    const smooth = load();
    const report = smoothQuant(smooth, await observe(load(), smoothQuantRequests(load()), feeds.slice(0, 100)));
    expect(report.errorBefore / report.errorAfter).toBeGreaterThan(20);
    const clips = clipsOf(test);
    const logits = (one: Model): Promise<Float32Array[]> =>
      runModel(
        one,
        clips.map((clip) => clip.feeds),
      );
    const accuracy = (rows: readonly Float32Array[]): number =>
      rows.filter((row, index) => row.indexOf(Math.max(...row)) === clips[index]?.label).length / rows.length;
    expect(relativeDistance(await logits(smooth), await logits(load()))).toBeLessThan(1e-5);
    expect(accuracy(await logits(quantized(load())))).toBeLessThan(0.9);
    expect(accuracy(await logits(quantized(smooth)))).toBeGreaterThanOrEqual(0.99);
  });
});
