import { describe, expect, it } from 'vitest';
import { snippetOf } from './snippet.ts';

describe('snippetOf', () => {
  const session = { 'optimization.disable_specified_optimizers': 'SkipLayerNormFusion' };

  it('asks for nothing where the recipe does not', () => {
    expect(snippetOf('in.onnx', 'out.onnx', false, { session: {} })).toBe(
      "import * as ort from 'onnxruntime-node';\nconst session = await ort.InferenceSession.create('./out.onnx', { intraOpNumThreads: 1 });",
    );
    expect(snippetOf('nowhere', 'out', true, { session: {} })).toContain("'./out', { dtype: 'q8' })");
  });

  it('gives session entries and threads to onnxruntime-node', () => {
    expect(snippetOf('in.onnx', 'out.onnx', false, { session, serving: { threads: 'all', instances: 1 } })).toBe(
      [
        "import { availableParallelism } from 'node:os';",
        "import * as ort from 'onnxruntime-node';",
        "const session = await ort.InferenceSession.create('./out.onnx', { intraOpNumThreads: availableParallelism(), extra: { 'optimization.disable_specified_optimizers': 'SkipLayerNormFusion' } });",
      ].join('\n'),
    );
  });

  it('gives them to transformers.js, and says how many processes', () => {
    const serving = { threads: 1, instances: 'per-core', spinning: false } as const;
    const text = snippetOf('nowhere', 'out', true, { session: {}, serving });
    expect(text).toContain('// In as many processes as the machine has cores.');
    expect(text).toContain(
      "{ dtype: 'q8', session_options: { intraOpNumThreads: 1, extra: { 'session.intra_op.allow_spinning': '0' } } }",
    );
  });
});
