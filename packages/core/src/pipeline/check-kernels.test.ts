import { describe, expect, it } from 'vitest';
import { OptimumError } from '../foundation/index.ts';
import { addNode, Graph, Model, tensorOf, Value } from '../ir/index.ts';
import { checkKernels, requireKernels } from './check-kernels.ts';

function modelWith(...ops: string[]): Model {
  const graph = new Graph('g');
  let value = graph.addInput(new Value('x'));
  for (const op of ops) value = addNode(graph, op, { inputs: [value] }).outputs[0] as Value;
  graph.addOutput(value);
  return new Model(graph);
}

function modelThatDequantizesEveryRun(): Model {
  const graph = new Graph('g');
  const x = graph.addInput(new Value('x'));
  const weight = graph.addInitializer(tensorOf('int8', [2, 2], new Int8Array(4)), 'w');
  const float = addNode(graph, 'DequantizeLinear', { inputs: [weight] }).outputs[0] as Value;
  graph.addOutput(addNode(graph, 'MatMul', { name: 'slow', inputs: [x, float] }).outputs[0] as Value);
  return new Model(graph);
}

const kernels = ['DynamicQuantizeMatMul', 'MatMulIntegerToFloat', 'MatMulInteger'];

describe('checkKernels', () => {
  it('counts the promised kernels by operator', () => {
    const check = checkKernels(
      modelWith('DynamicQuantizeMatMul', 'Relu', 'MatMulIntegerToFloat', 'MatMul'),
      kernels,
      2,
    );
    expect(check.found).toEqual({ DynamicQuantizeMatMul: 1, MatMulIntegerToFloat: 1 });
    expect(() => requireKernels(check, 'm')).not.toThrow();
  });

  it('refuses a graph that lost one of them', () => {
    const check = checkKernels(modelWith('DynamicQuantizeMatMul', 'MatMul'), kernels, 2);
    expect(() => requireKernels(check, 'model.onnx')).toThrow(OptimumError);
    expect(() => requireKernels(check, 'model.onnx')).toThrow(/2 nodes were made integer, .* holds 1/);
  });

  it('refuses weights that are dequantized on every run', () => {
    const check = checkKernels(modelThatDequantizesEveryRun(), kernels, 0);
    expect(check.dequantizedEveryRun).toEqual(['slow']);
    expect(() => requireKernels(check, 'model.onnx')).toThrow(/dequantizes the weights of 1 nodes on every run/);
  });
});
