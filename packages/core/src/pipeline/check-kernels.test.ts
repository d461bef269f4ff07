import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { root } from '../../../../tools/testing/zoo.ts';
import { onnxruntime } from '../../../runtime-onnxruntime/src/index.ts';
import { OptimumError } from '../foundation/index.ts';
import { addNode, Graph, Model, Value } from '../ir/index.ts';
import { loadModelSync } from '../node/load-model.ts';
import { serializeModel } from '../onnx/index.ts';
import { parseModel } from '../text/index.ts';
import { checkKernels, requireKernels } from './check-kernels.ts';
import { convolutionModel, header, parametersOf, productModel, weightConstants } from './test-static-models.ts';

const folder = mkdtempSync(join(tmpdir(), 'optimum-kernels-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The model, and the graph that the runtime makes of it. */
async function optimized(text: string): Promise<readonly [Model, Model]> {
  const written = parseModel(text);
  const path = join(folder, 'optimized.onnx');
  const session = await onnxruntime.createSession(
    { bytes: serializeModel(written) },
    { optimizedModelPath: path, from: root },
  );
  await session.close();
  return [written, loadModelSync(path).model];
}

/** A chain of operators, one after the other. */
function modelWith(...ops: string[]): Model {
  const graph = new Graph('g');
  let value = graph.addInput(new Value('x'));
  for (const op of ops) value = addNode(graph, op, { inputs: [value] }).outputs[0] as Value;
  graph.addOutput(value);
  return new Model(graph);
}

const dynamicKernels = ['DynamicQuantizeMatMul', 'MatMulIntegerToFloat', 'MatMulInteger'];

describe('checkKernels of dynamic models', () => {
  it('counts integer products by operator', () => {
    const made = modelWith('DynamicQuantizeMatMul', 'Relu', 'MatMulIntegerToFloat', 'MatMul');
    const check = checkKernels(modelWith('MatMulInteger', 'MatMulInteger'), made, dynamicKernels);
    expect(check).toMatchObject({
      expected: 2,
      found: { DynamicQuantizeMatMul: 1, MatMulIntegerToFloat: 1 },
      missing: [],
    });
    expect(() => requireKernels(check, 'm')).not.toThrow();
  });

  it('refuses a graph that lost one of them', () => {
    const made = modelWith('DynamicQuantizeMatMul', 'MatMul');
    const check = checkKernels(modelWith('MatMulInteger', 'MatMulInteger'), made, dynamicKernels);
    expect(() => requireKernels(check, 'model.onnx')).toThrow(OptimumError);
    expect(() => requireKernels(check, 'model.onnx')).toThrow(/2 nodes \(MatMul\) were made integer, .* holds 1/);
  });

  it('takes a convolution for no matrix product', () => {
    const check = checkKernels(modelWith('MatMulInteger'), modelWith('ConvInteger'), [
      ...dynamicKernels,
      'ConvInteger',
    ]);
    expect(check.missing).toEqual([{ kind: 'MatMul', expected: 1, found: 0 }]);
  });

  it("counts another runtime's kernel for any product", () => {
    const graph = new Graph('g');
    const x = graph.addInput(new Value('x'));
    graph.addOutput(addNode(graph, 'TileMatMul', { inputs: [x], domain: 'com.example' }).outputs[0] as Value);
    const written = modelWith('MatMulInteger');
    expect(checkKernels(written, new Model(graph), ['TileMatMul']).missing).toEqual([]);
    expect(checkKernels(written, new Model(graph), dynamicKernels).missing).toHaveLength(1);
  });
});

const staticKernels = ['QLinearConv', 'QLinearMatMul', 'MatMulIntegerToFloat', 'QGemm', 'QLinearAdd', 'QLinearMul'];
const image = 'float[1, 4, 6, 6] x';
const read = 'xq = QuantizeLinear (x, s, z)  d = DequantizeLinear (xq, s, z)';
const constants = `${parametersOf()}, ${weightConstants([8, 4, 3, 3], 8)}`;

describe('checkKernels of static models', () => {
  it.each([
    ['Conv', convolutionModel({ input: [1, 4, 6, 6], filters: [8, 4, 3, 3] }), { QLinearConv: 1 }],
    ['MatMul', productModel('MatMul', [16, 8], true), { QLinearMatMul: 1 }],
    ['MatMul with a float output', productModel('MatMul', [16, 8], false), { MatMulIntegerToFloat: 1 }],
    ['Gemm', productModel('Gemm', [16, 8], true), { QGemm: 1 }],
  ])('finds the integer kernel of %s', async (_, text, found) => {
    const check = checkKernels(...(await optimized(text)), staticKernels);
    expect(check).toEqual({ expected: 1, found, missing: [], stayedFloat: [], dequantizedEveryRun: [] });
  });

  it('finds integer operators and movers between products, whatever the runtime does to layouts', async () => {
    const models = await optimized(`${header} g (${image}) => (y) <${constants}> {
      ${read}  w = DequantizeLinear <axis = 0> (wq, ws, wz)
      o = Conv (d, w)  oq = QuantizeLinear (o, r, q)  od = DequantizeLinear (oq, r, q)
      a = Add (od, od)  aq = QuantizeLinear (a, r, q)  ad = DequantizeLinear (aq, r, q)
      t = Transpose <perm = [0, 2, 3, 1]> (ad)  tq = QuantizeLinear (t, r, q)  td = DequantizeLinear (tq, r, q)
      m = Mul (td, td)  mq = QuantizeLinear (m, r, q)  y = DequantizeLinear (mq, r, q) }`);
    const check = checkKernels(...models, [...staticKernels, 'Transpose']);
    expect(check).toMatchObject({ expected: 3, found: { QLinearConv: 1, QLinearAdd: 1, QLinearMul: 1 } });
    expect(() => requireKernels(check, 'm')).not.toThrow();
  });

  it('asks for one kernel of what is repeated, which a runtime may merge', async () => {
    const twice = (name: string): string => `w${name} = DequantizeLinear <axis = 0> (wq, ws, wz)
      o${name} = Conv (d, w${name})  q${name} = QuantizeLinear (o${name}, r, q)  y${name} = DequantizeLinear (q${name}, r, q)`;
    const models = await optimized(
      `${header} g (${image}) => (y) <${constants}> { ${read}  ${twice('1')}  ${twice('2')}  y = Sub (y1, y2) }`,
    );
    expect(checkKernels(...models, staticKernels)).toMatchObject({ expected: 1, missing: [], stayedFloat: [] });
  });

  it('refuses a MatMul that a float bias turns into a product with weights dequantized on every run', async () => {
    const models = await optimized(`${header} g (float[n, 16] x) => (y)
      <${parametersOf()}, ${weightConstants([16, 8], 8)}, float[8] c = {1, 2, 3, 4, 5, 6, 7, 8}>
      { ${read}  w = DequantizeLinear <axis = 1> (wq, ws, wz)  o = MatMul (d, w)  [sum] y = Add (o, c) }`);
    const check = checkKernels(...models, staticKernels);
    expect(check.dequantizedEveryRun).toHaveLength(1);
    expect(check.missing).toEqual([{ kind: 'MatMul', expected: 1, found: 0 }]);
    expect(() => requireKernels(check, 'model.onnx')).toThrow(/dequantizes the weights of 1 nodes on every run/);
  });

  it.each([
    ['Conv without integers behind it', `${image}`, 'o = Conv (d, w)  [slow] y = Neg (o)'],
    ['ConvTranspose', `${image}`, '[slow] o = ConvTranspose (t, w)  y = Neg (o)', 't = Concat <axis = 1> (d, d)'],
    ['Gather', 'int64[n] i', '[slow] y = Gather (w, i)'],
    [
      'MatMul of a transposed weight',
      'float[n, 3] f',
      'v = Transpose <perm = [0, 1, 3, 2]> (w)  [slow] y = MatMul (f, v)',
    ],
  ])('names weights dequantized on every run: %s', async (_, input, body, before = '') => {
    const reads = input === image ? `${read}  ${before}` : '';
    const models = await optimized(
      `${header} g (${input}) => (y) <${constants}> { ${reads}  w = DequantizeLinear <axis = 0> (wq, ws, wz)  ${body} }`,
    );
    const check = checkKernels(...models, staticKernels);
    expect(check.dequantizedEveryRun).toHaveLength(1);
    expect(() => requireKernels(check, 'm')).toThrow(OptimumError);
  });

  it('says which promised operators stayed float between integers', async () => {
    const models = await optimized(`${header} g (${image}) => (y) <${parametersOf()}> { ${read}
      [even] a = AveragePool <kernel_shape = [2, 2]> (d)  aq = QuantizeLinear (a, r, q)  ad = DequantizeLinear (aq, r, q)
      [tanh] t = Tanh (ad)  tq = QuantizeLinear (t, r, q)  y = DequantizeLinear (tq, r, q) }`);
    expect(checkKernels(...models, [...staticKernels, 'QLinearAveragePool'])).toMatchObject({
      missing: [],
      stayedFloat: [],
    });
    const check = checkKernels(...models, [...staticKernels, 'QLinearTanh']);
    expect(check).toMatchObject({ missing: [{ kind: 'Tanh', expected: 1, found: 0 }], stayedFloat: ['tanh'] });
    expect(() => requireKernels(check, 'm')).toThrow(/in float are tanh/);
    // As a mover: nothing is counted, and it is named all the same.
    const moved = checkKernels(...models, [...staticKernels, 'Tanh']);
    expect(moved).toMatchObject({ missing: [], stayedFloat: ['tanh'] });
    expect(() => requireKernels(moved, 'm')).toThrow(/1 nodes between integers stayed float \(tanh\)/);
  });
});
