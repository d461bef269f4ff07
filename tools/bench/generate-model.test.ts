import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { makeInputs, numbersOf } from '../../packages/core/src/index.ts';
import { loadModelSync } from '../../packages/core/src/node/index.ts';
import { onnxruntime } from '../../packages/runtime-onnxruntime/src/index.ts';
// @ts-expect-error plain JavaScript, so that it runs without a build of its own
import { generateModel } from './generate-model.mjs';

const folder = mkdtempSync(join(tmpdir(), 'optimum-generate-'));
const hash = (name: string): string =>
  createHash('sha256')
    .update(readFileSync(join(folder, name)))
    .digest('hex');

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('generateModel', () => {
  it('makes the same bytes from the same seed, and others from another', async () => {
    for (const [name, seed] of [
      ['first', 7],
      ['again', 7],
      ['other', 8],
    ] as const)
      await generateModel('tiny', join(folder, `${name}.onnx`), seed);
    expect(hash('again.onnx')).toBe(hash('first.onnx'));
    expect(hash('other.onnx')).not.toBe(hash('first.onnx'));
  });

  it('makes an encoder that the runtime takes, with activations near 1', async () => {
    const path = join(folder, 'runs.onnx');
    await generateModel('tiny', path);
    const loaded = loadModelSync(path);
    const session = await onnxruntime.createSession({ path });
    try {
      const feeds = makeInputs(loaded.model, { seed: 1, variant: 1 });
      const { last_hidden_state: output } = await session.run(feeds);
      const numbers = Array.from((output && numbersOf(output)) ?? []);
      expect(output?.dims).toEqual([...(feeds.input_ids?.dims ?? []), 64]);
      const deviation = Math.sqrt(numbers.reduce((sum, number) => sum + number * number, 0) / numbers.length);
      // The last layer is a LayerNormalization whose gains are near 1.
      expect(deviation).toBeGreaterThan(0.9);
      expect(deviation).toBeLessThan(1.1);
    } finally {
      await session.close();
      loaded.close();
    }
  });

  it('refuses a size that is not there', async () => {
    await expect(generateModel('huge', join(folder, 'huge.onnx'))).rejects.toThrow(/no size "huge"; there are tiny/);
  });
});
