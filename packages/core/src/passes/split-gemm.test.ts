import { describe, expect, it } from 'vitest';
import { verify } from '../ir/index.ts';
import { parseModel, printModel } from '../text/index.ts';
import { splitGemm } from './split-gemm.ts';

const graphOf = (body: string): { count: number; nodes: string } => {
  const model = parseModel(
    `<ir_version: 8, opset_import: ["": 17]> g (float[n,2] x) => (float[n,2] y) <float[2,2] w = {1,2,3,4}, float[2] c = {1,2}> ${body}`,
  );
  const count = splitGemm(model);
  expect(verify(model)).toEqual([]);
  const lines = printModel(model)
    .split('\n')
    .filter((line) => / = \w/.test(line));
  return { count, nodes: lines.map((line) => line.trim()).join('\n') };
};

describe('splitGemm', () => {
  it('makes MatMul and Add, with a Transpose for a transposed weight', () => {
    expect(graphOf('{ [g] y = Gemm <transB = 1> (x, w, c) }')).toEqual({
      count: 1,
      nodes: [
        'Transpose_output_5 = Transpose <perm = [1, 0]> (w)',
        '[g_MatMul] y_MatMul = MatMul (x, Transpose_output_5)',
        '[g_Add] y = Add (y_MatMul, c)',
      ].join('\n'),
    });
  });

  it('makes a lone MatMul where there is no bias', () => {
    expect(graphOf('{ y = Gemm (x, w) }')).toEqual({ count: 1, nodes: 'y = MatMul (x, w)' });
  });

  it.each(['alpha = 0.5', 'beta = 2.0', 'transA = 1'])('leaves Gemm with %s', (attribute) => {
    const { count, nodes } = graphOf(`{ y = Gemm <${attribute}> (x, w, c) }`);
    expect(count).toBe(0);
    expect(nodes).toContain('Gemm');
  });
});
