import { describe, expect, it } from 'vitest';
import { type Feeds, quantizeStatically, randomFeed } from '../../../../tools/testing/quantize-statically.ts';
import { zooPaths } from '../../../../tools/testing/zoo.ts';
import { capabilities, cpuRecipes } from '../../../runtime-onnxruntime/src/index.ts';
import type { Feature, Recipe } from '../backend/index.ts';
import { loadModelSync } from '../node/load-model.ts';
import { canonicalise } from '../passes/index.ts';

const vnni: readonly Feature[] = ['avx2', 'avx512', 'avx512-vnni'];
const recipeOf = (id: string): Recipe => cpuRecipes.find((recipe) => recipe.id === id) as Recipe;
const image = (name: string, dims: readonly number[]): Feeds[] =>
  [0, 1, 2].map((seed) => ({ [name]: randomFeed(dims, seed) }));

function tokens(count: number): Feeds[] {
  const int64 = (numbers: readonly number[]) => ({
    elementType: 'int64' as const,
    dims: [1, count],
    bytes: new Uint8Array(BigInt64Array.from(numbers.map(BigInt)).buffer),
  });
  return [1, 2, 3].map((seed) => ({
    input_ids: int64(Array.from({ length: count }, (_, index) => (index * 7919 * seed) % 30000)),
    attention_mask: int64(Array(count).fill(1)),
    token_type_ids: int64(Array(count).fill(0)),
  }));
}

interface Subject {
  readonly file: string;
  readonly feeds: readonly Feeds[];
  /** By recipe: integer kernels in the graph that the runtime runs, and how far random inputs may move. */
  readonly expected: Readonly<
    Record<string, { readonly kernels: Readonly<Record<string, number>>; readonly bound: number }>
  >;
}

const subjects: readonly Subject[] = [
  {
    file: 'models/ppocr-v4-rec.onnx',
    feeds: image('x', [1, 3, 48, 160]),
    expected: {
      static: { kernels: { QLinearConv: 24, MatMulIntegerToFloat: 9 }, bound: 0.15 },
      auto: { kernels: { QLinearConv: 24, DynamicQuantizeMatMul: 9 }, bound: 0.15 },
      integer: {
        kernels: { QLinearConv: 38, MatMulIntegerToFloat: 13, QLinearSoftmax: 3, QLinearMul: 47 },
        bound: 0.25,
      },
    },
  },
  {
    file: 'own/digits-vit/onnx/model.onnx',
    feeds: image('pixel_values', [2, 1, 28, 28]),
    expected: {
      static: { kernels: { QLinearConv: 1, MatMulIntegerToFloat: 24, QGemm: 1 }, bound: 0.03 },
      auto: { kernels: { QLinearConv: 1, DynamicQuantizeMatMul: 13, MatMulIntegerToFloat: 12 }, bound: 0.03 },
      integer: {
        kernels: { QLinearConv: 1, QLinearMatMul: 32, QGemm: 1, QLinearSoftmax: 4, QLinearAdd: 37 },
        bound: 0.08,
      },
    },
  },
  {
    file: 'models/fsdd-kwt.onnx',
    feeds: image('log_mel', [2, 62, 32]),
    expected: {
      static: { kernels: { MatMulIntegerToFloat: 25, QGemm: 1 }, bound: 0.02 },
      integer: { kernels: { QLinearMatMul: 33, QGemm: 1, QLinearSoftmax: 4, QLinearAdd: 38 }, bound: 0.03 },
    },
  },
  {
    file: 'models/minilm/onnx/model.onnx',
    feeds: tokens(12),
    expected: { static: { kernels: { MatMulIntegerToFloat: 36 }, bound: 0.2 } },
  },
];

const count = (operators: readonly string[], op: string): number => operators.filter((other) => other === op).length;

describe('static quantization of real models', () => {
  for (const { file, feeds, expected } of subjects) {
    const [path] = zooPaths(file) ?? [];
    for (const [id, { kernels, bound }] of Object.entries(expected)) {
      it.skipIf(!path)(`${file}: ${id} fuses in both forms`, async () => {
        const make = () => {
          const { model } = loadModelSync(path as string);
          canonicalise(model);
          return model;
        };
        for (const form of ['qdq', 'qoperator'] as const) {
          const options = { recipe: recipeOf(id), form, capabilities, features: vnni };
          const { operators, relativeError } = await quantizeStatically(make, feeds, options);
          const found = Object.fromEntries(Object.keys(kernels).map((op) => [op, count(operators, op)]));
          expect(found).toEqual(kernels);
          expect(relativeError).toBeLessThan(bound);
        }
      });
    }
  }
});
