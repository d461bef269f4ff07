import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { OptimumError, seededRandom } from '../foundation/index.ts';
import { addNode, Graph, Model, tensorOf, tensorType, Value } from '../ir/index.ts';
import { serializeModel } from '../onnx/index.ts';
import type { Plan } from '../plan/index.ts';
import { realize } from '../quantize/index.ts';
import { loadModel } from './load-model.ts';
import { saveModel } from './save-model.ts';
import { threadsFor, WriteThreads, worthThreads } from './write-threads.ts';

const folder = mkdtempSync(join(tmpdir(), 'optimum-threads-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const sizes = [
  [64, 64],
  [300, 120],
  [33, 700],
  [64, 64],
  [512, 384],
  [1, 5],
] as const;

/** A chain of products with random weights, and the plan that makes them integer. */
function makeModel(name: string, poison?: number): { path: string; plan: Plan } {
  const random = seededRandom(3);
  const graph = new Graph('chain');
  const x = graph.addInput(new Value('x', tensorType('float32', ['n', 'k'])));
  sizes.forEach(([k, n], index) => {
    const values = Float32Array.from({ length: k * n }, () => random.normal());
    if (index === 4 && poison !== undefined) values[1000] = poison;
    const weight = graph.addInitializer(tensorOf('float32', [k, n], values), `w${index}`);
    graph.addOutput(addNode(graph, 'MatMul', { name: `m${index}`, inputs: [x, weight] }).outputs[0] as Value);
  });
  const model = new Model(graph);
  model.irVersion = 8;
  model.requireOpset('', 17);
  const path = join(folder, name);
  writeFileSync(path, serializeModel(model));
  const weight = { elementType: 'int8', granularity: 'channel', range: 'pair-aware' } as const;
  const entries = sizes.map((_, index) => ({
    id: `m${index}`,
    op: 'MatMul',
    decision: { action: 'matmul', weight, capability: 'test' } as const,
  }));
  return { path, plan: { version: 1, target: 't', features: [], recipe: 'latency', valueInfo: 'keep', entries } };
}

async function quantizeWith(count: number, source: { path: string; plan: Plan }, externalData: 'always' | 'never') {
  const loaded = await loadModel(source.path);
  const threads = count > 1 ? new WriteThreads(count - 1) : undefined;
  const output = join(folder, `${basename(source.path)}-${count}-${externalData}`, 'model.onnx');
  try {
    const report = realize(loaded.model, source.plan);
    await saveModel(loaded.model, output, { threads, externalData });
    const files = externalData === 'always' ? [output, `${output}_data`] : [output];
    return { bytes: files.map((file) => readFileSync(file)), factor: report.scaleFactor() };
  } finally {
    await threads?.close();
    loaded.close();
  }
}

describe('WriteThreads', () => {
  it.each(['never', 'always'] as const)(
    'makes the same bytes with any number of threads (external data: %s)',
    async (externalData) => {
      const source = makeModel('model.onnx');
      const one = await quantizeWith(1, source, externalData);
      expect(one.factor).toBeGreaterThan(1);
      for (const count of [2, 4]) {
        const several = await quantizeWith(count, source, externalData);
        expect(several.bytes.map((bytes, file) => bytes.equals(one.bytes[file] as Buffer))).not.toContain(false);
        expect(several.factor).toBe(one.factor);
      }
    },
  );

  it.each([1, 2, 3])('says what is wrong with a weight, and publishes nothing, with %d threads', async (count) => {
    const source = makeModel('poisoned.onnx', Number.NaN);
    const attempt = quantizeWith(count, source, 'never').catch((error: unknown) => error);
    const error = (await attempt) as OptimumError;
    expect(OptimumError.isInstance(error)).toBe(true);
    expect([error.code, error.message]).toEqual([
      'E_NUMERIC_NAN',
      expect.stringMatching(/"w4" \[512, 384\] holds NaN at \[2, 232\]/),
    ]);
  });
});

describe('threadsFor', () => {
  it('does as asked, else two where they pay', () => {
    expect(threadsFor(1e12, 3)).toBe(3);
    expect(threadsFor(worthThreads - 1, undefined)).toBe(1);
    expect(threadsFor(worthThreads, undefined)).toBe(Math.min(2, availableParallelism()));
  });
});
