import { describe, expect, it } from 'vitest';
import { createOnnxRuntime } from '../runtime.ts';

describe('probe', () => {
  it('measures every kernel that the cost model knows, once', { timeout: 120_000 }, async () => {
    const runtime = createOnnxRuntime({ from: import.meta.dirname });
    const seen: string[] = [];
    const table = await runtime.probe?.({
      budgetMs: 1,
      onProgress: (done, total, kernel) => seen.push(`${done}/${total} ${kernel}`),
    });
    expect(table).toMatchObject({
      schemaVersion: 1,
      probeVersion: runtime.probeVersion,
      runtime: { id: 'onnxruntime' },
    });
    expect(['exact', 'saturates']).toContain(table?.behaviour.u8s8);
    const kernels = table?.kernels ?? [];
    const shapes = kernels.map(({ kernel, rows, depth, columns }) => `${kernel} ${rows} ${depth} ${columns}`);
    expect(new Set(shapes).size).toBe(shapes.length);
    for (const { microseconds } of kernels) expect(microseconds).toBeGreaterThan(0);
    const names = new Set(kernels.map(({ kernel }) => kernel));
    for (const kernel of known) expect(names).toContain(kernel);
    // All but the run itself, which is measured with the behaviour.
    expect(seen).toHaveLength(kernels.length - 1);
    expect(seen.at(-1)).toContain(`${kernels.length - 1}/${kernels.length - 1} `);
    expect(table?.unrest).toBeGreaterThanOrEqual(0);
  });

  it('says what is missing, and stops when it is told to', async () => {
    const runtime = createOnnxRuntime({ from: import.meta.dirname });
    const attempt = runtime.probe?.({ signal: AbortSignal.abort() });
    await expect(attempt).rejects.toMatchObject({ code: 'E_INTERRUPTED' });
  });
});

const known = [
  'run',
  ...[
    'matmul-float32',
    'matmul-float32-cold',
    'matmul-float32-computed',
    'matmul-u8s8-dynamic',
    'matmul-u8s8-dynamic-cold',
  ],
  ...['matmul-u8u8-dynamic', 'matmul-u8s8-static', 'matmul-s8s8-static', 'matmul-4bit-block32-level4'],
  ...['1x1', '3x3', 'depthwise'].flatMap((name) =>
    ['conv-float32', 'conv-u8s8-static', 'conv-u8u8-dynamic'].map((form) => `${form}-${name}`),
  ),
  ...['add', 'relu', 'erf', 'tanh', 'sigmoid', 'sqrt', 'gelu', 'gelu-fast', 'gelu-bias', 'gelu-subgraph', 'transpose'],
  ...['quantize', 'dequantize', 'quantize-dynamic', 'softmax', 'reduce-mean', 'layer-norm', 'skip-layer-norm'],
  ...['attention-unfused', 'attention-multi-head'],
];
