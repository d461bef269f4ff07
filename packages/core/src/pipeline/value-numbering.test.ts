import { describe, expect, it } from 'vitest';
import { addNode, Graph, graphAttribute, Model, tensorOf, tensorType, Value, walkNodes } from '../ir/index.ts';
import { countDistinct } from './value-numbering.ts';

const distinctProducts = (model: Model): number =>
  countDistinct(model, new Set([...walkNodes(model)].filter(({ op }) => op === 'MatMulInteger')));

/** A graph with an input, two 8-bit matrices, and a way to multiply by them. */
function subject() {
  const graph = new Graph('g');
  const x = graph.addInput(new Value('x', tensorType('float32', ['n', 64])));
  const weight = (fill: number): Value =>
    graph.addInitializer(tensorOf('int8', [64, 64], new Int8Array(4096).fill(fill)));
  const zero = (): Value => graph.addInitializer(tensorOf('int8', [], Int8Array.of(0)));
  const multiply = (activation: Value, w: Value): Value => {
    const [q, , z] = addNode(graph, 'DynamicQuantizeLinear', {
      inputs: [activation],
      outputTypes: [undefined, undefined, undefined],
    }).outputs;
    return addNode(graph, 'MatMulInteger', { inputs: [q, w, z, zero()] }).outputs[0] as Value;
  };
  return { graph, model: new Model(graph), x, weight, multiply };
}

describe('countDistinct', () => {
  it('counts a product that is repeated once, and other weights or activations apart', () => {
    const { graph, model, x, weight, multiply } = subject();
    const [a, b] = [weight(1), weight(1)];
    const relu = addNode(graph, 'Relu', { inputs: [x] }).outputs[0] as Value;
    for (const [activation, w] of [
      [x, a],
      [x, a],
      [x, b],
      [relu, a],
    ] as const)
      graph.addOutput(multiply(activation, w));
    expect(distinctProducts(model)).toBe(3);
  });

  it('sees through repeated computations, small equal constants included', () => {
    const { graph, model, x, weight, multiply } = subject();
    const w = weight(1);
    for (let copy = 0; copy < 3; copy++) {
      const half = graph.addInitializer(tensorOf('float32', [], Float32Array.of(0.5)));
      graph.addOutput(multiply(addNode(graph, 'Mul', { inputs: [x, half] }).outputs[0] as Value, w));
    }
    expect(distinctProducts(model)).toBe(1);
  });

  it('leaves out what depends on no input: the runtime computes it when it loads', () => {
    const { graph, model, x, weight, multiply } = subject();
    const table = graph.addInitializer(tensorOf('float32', [4, 64], new Float32Array(256)));
    graph.addOutput(multiply(table, weight(1)));
    graph.addOutput(multiply(x, weight(2)));
    expect(distinctProducts(model)).toBe(1);
  });

  it('counts random and nested products one by one', () => {
    const { graph, model, x, weight, multiply } = subject();
    const w = weight(1);
    for (let copy = 0; copy < 2; copy++)
      graph.addOutput(multiply(addNode(graph, 'RandomNormalLike', { inputs: [x] }).outputs[0] as Value, w));
    const branch = new Graph('then');
    for (let copy = 0; copy < 2; copy++)
      branch.addOutput(addNode(branch, 'MatMulInteger', { inputs: [x, w] }).outputs[0] as Value);
    graph.addOutput(
      addNode(graph, 'If', { inputs: [x], attributes: { then_branch: graphAttribute(branch) } }).outputs[0] as Value,
    );
    expect(distinctProducts(model)).toBe(4);
  });
});
