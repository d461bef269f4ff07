import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  integerRecipe,
  quantizeStatically,
  randomFeed,
  staticRecipe,
} from '../../../../tools/testing/quantize-statically.ts';
import { seededRandom } from '../foundation/index.ts';

/** Graphs that are tried; the nightly run asks for many. */
const runs = Number(process.env.FUZZ_RUNS ?? 8);

const numbers = (count: number, seed: number, scale = 1): string => {
  const random = seededRandom(seed);
  return Array.from({ length: count }, () => ((2 * random.next() - 1) * scale).toFixed(4)).join(', ');
};

/** One layer on [1, 4, 6, 6], as constants and as nodes from `a` to `b`. */
type Layer = (index: number, a: string, b: string) => { readonly constants: string; readonly body: string };

const conv = fc
  .record({
    group: fc.constantFrom(1, 2, 4),
    kernel: fc.constantFrom(1, 3),
    bias: fc.boolean(),
    seed: fc.integer({ min: 1, max: 1000 }),
  })
  .map(
    ({ group, kernel, bias, seed }): Layer =>
      (index, a, b) => ({
        constants: `float[4,${4 / group},${kernel},${kernel}] w${index} = {${numbers((16 / group) * kernel ** 2, seed)}}, float[4] c${index} = {${numbers(4, seed + 1)}}`,
        body: `${b} = Conv <group = ${group}, pads = [${Array(4).fill((kernel - 1) / 2)}]> (${a}, w${index}${bias ? `, c${index}` : ''})`,
      }),
  );
const matmul = fc
  .record({ bias: fc.constantFrom('none', 'left', 'right'), seed: fc.integer({ min: 1, max: 1000 }) })
  .map(
    ({ bias, seed }): Layer =>
      (index, a, b) => ({
        constants: `float[6,6] w${index} = {${numbers(36, seed)}}, float[6] c${index} = {${numbers(6, seed + 1)}}`,
        body:
          bias === 'none'
            ? `${b} = MatMul (${a}, w${index})`
            : `m${index} = MatMul (${a}, w${index})  ${b} = Add (${bias === 'left' ? `c${index}, m${index}` : `m${index}, c${index}`})`,
      }),
  );
const gemm = fc
  .record({
    alpha: fc.constantFrom(0.5, 1, 2),
    beta: fc.constantFrom(0, 0.5, 1, 3),
    transB: fc.constantFrom(0, 1),
    dims: fc.constantFrom('6', '1,6', '1', '24,1'),
    seed: fc.integer({ min: 1, max: 1000 }),
  })
  .map(
    ({ alpha, beta, transB, dims, seed }): Layer =>
      (index, a, b) => ({
        constants: `float[6,6] w${index} = {${numbers(36, seed)}}, float[${dims}] c${index} = {${numbers(
          dims.split(',').reduce((product, dim) => product * Number(dim), 1),
          seed + 1,
        )}}`,
        body: `f${index} = Reshape (${a}, flat)  g${index} = Gemm <alpha = ${alpha.toFixed(1)}, beta = ${beta.toFixed(1)}, transB = ${transB}> (f${index}, w${index}, c${index})  ${b} = Reshape (g${index}, square)`,
      }),
  );
const simple = fc
  .constantFrom(
    'Relu (IN)',
    'Clip (IN, low, high)',
    'Add (IN, x)',
    'Mul (IN, half)',
    'Transpose <perm = [0, 1, 3, 2]> (IN)',
    'Tanh (IN)',
    'Add (IN, IN)',
  )
  .map(
    (node): Layer =>
      (_index, a, b) => ({ constants: '', body: `${b} = ${node.replaceAll('IN', a)}` }),
  );

function modelOf(layers: readonly Layer[]): string {
  const made = layers.map((layer, index) =>
    layer(index, index === 0 ? 'x' : `v${index}`, index === layers.length - 1 ? 'y' : `v${index + 1}`),
  );
  const constants = [
    'int64[2] flat = {24, 6}, int64[4] square = {1, 4, 6, 6}, float low = {-0.5}, float high = {2}, float half = {0.5}',
  ];
  constants.push(...made.map((one) => one.constants).filter((text) => text !== ''));
  return `<ir_version: 8, opset_import: ["": 17]> g (float[1,4,6,6] x) => (float[1,4,6,6] y) <${constants.join(', ')}> { ${made.map(({ body }) => body).join('  ')} }`;
}

describe('random graphs', () => {
  it(
    'load in both forms, agree, and stay within what 8 bits cost',
    async () => {
      const weighted = fc.oneof(conv, matmul, gemm);
      const layers = fc
        .tuple(weighted, fc.array(fc.oneof(weighted, simple), { maxLength: 4 }))
        .map(([first, rest]) => [first, ...rest]);
      await fc.assert(
        fc.asyncProperty(layers, fc.constantFrom(staticRecipe, integerRecipe), async (chosen, recipe) => {
          const text = modelOf(chosen);
          const feeds = [0, 1].map((seed) => ({ x: randomFeed([1, 4, 6, 6], seed) }));
          const qdq = await quantizeStatically(text, feeds, { recipe, form: 'qdq' });
          const qoperator = await quantizeStatically(text, feeds, { recipe, form: 'qoperator' });
          expect(qdq.relativeError).toBeLessThan(0.06 * chosen.length);
          expect(Math.abs(qdq.relativeError - qoperator.relativeError)).toBeLessThan(0.01);
          // Weights are never turned into floats while it runs.
          for (const { operators } of [qdq, qoperator]) {
            expect(operators).not.toContain('Conv');
            expect(operators).not.toContain('FusedConv');
            expect(operators.filter((op) => op === 'Gemm' || op === 'MatMul')).toEqual([]);
          }
        }),
        { numRuns: runs },
      );
      // A failure is made smaller before it is shown, which takes more runs.
    },
    240_000 + 5000 * runs,
  );
});
