import { describe, expect, it } from 'vitest';
import { type Attribute, formatType, type Graph, int64Tensor, type ModelFunction, type Value } from '../../ir/index.ts';
import { inferTypes } from './infer-types.ts';
import { type GraphText, graphOf, inferredType, modelOf } from './test-model.ts';

describe('control flow', () => {
  const branches = (inputs: Readonly<Record<string, string>>): GraphText => ({
    inputs: { c: 'bool[]', ...inputs },
    nodes: [
      [
        'If(c) -> y',
        {
          then_branch: { nodes: [['Relu(a) -> t']], outputs: { t: '' } },
          else_branch: { nodes: [['Neg(b) -> e']], outputs: { e: '' } },
        },
      ],
    ],
  });

  it('gives what holds in both branches, over values from outside', () => {
    expect(inferredType(modelOf(branches({ a: 'float32[n,3]', b: 'float32[n,4]' })))).toBe('float32[n,?]');
    expect(inferredType(modelOf(branches({ a: 'float32[n]', b: 'float32[n,4]' })))).toBe('float32');
  });

  it('reports branches of different element types', () => {
    const model = modelOf(branches({ a: 'float32[n]', b: 'int64[n]' }));
    expect(inferredType(model)).toBe('?');
    expect(inferTypes(model).diagnostics).toHaveLength(1);
  });

  it('stacks what a loop scans and forgets the shapes that it carries', () => {
    const body: GraphText = {
      inputs: { i: '', go: '', v: '' },
      nodes: [['Identity(go) -> on'], ['Relu(v) -> next'], ['Shape(v) -> scanned']],
      outputs: { on: '', next: '', scanned: '' },
    };
    const model = modelOf({
      inputs: { m: 'int64[]', c: 'bool[]', x: 'float32[n]' },
      nodes: [['Loop(m, c, x) -> state, stack', { body }]],
    });
    expect(inferredType(model, 'state')).toBe('float32');
    expect(inferredType(model, 'stack')).toBe('int64[?,?]');
  });

  it('takes scanned inputs apart along their axis', () => {
    const body: GraphText = {
      inputs: { a: '', b: '' },
      nodes: [['Add(a, b) -> sum'], ['Identity(sum) -> out']],
      outputs: { sum: '', out: '' },
    };
    const model = modelOf({
      inputs: { s: 'float32[2]', x: 'float32[steps,2]' },
      nodes: [['Scan(s, x) -> state, all', { body, num_scan_inputs: 1 }]],
    });
    expect(inferredType(model, 'state')).toBe('float32[2]');
    expect(inferredType(model, 'all')).toBe('float32[steps,2]');
  });
});

/** A function of domain `local`; its body is written like any graph. */
function functionOf(name: string, graph: Graph, attributes: readonly string[] = [], domain = 'local'): ModelFunction {
  return {
    name,
    domain,
    overload: undefined,
    body: graph,
    attributes,
    attributeDefaults: new Map(),
    opsetImports: [
      { domain: '', version: 21 },
      { domain: 'local', version: 1 },
    ],
  };
}

describe('functions of the model', () => {
  const reference = (parameter: string, of: string): Attribute => ({ type: 'ref', parameter, of });

  it('are walked with the types, data and attributes of the call', () => {
    const body = graphOf({
      inputs: { a: '', s: '' },
      nodes: [['Reshape(a, s) -> r'], ['Transpose(r) -> t', { perm: reference('order', 'ints') }]],
      outputs: { t: '' },
    });
    const model = modelOf(
      {
        inputs: { x: 'float32[n,6]' },
        constants: { s: int64Tensor([3], [0, 2, 3]) },
        nodes: [
          ['local:Turn(x, s) -> y', { order: [2, 1, 0] }],
          ['local:Turn(x, s) -> z', { order: [0, 2, 1] }],
        ],
      },
      21,
      { local: 1 },
    );
    model.functions.push(functionOf('Turn', body, ['order']));
    expect(inferredType(model, 'y')).toBe('float32[3,2,n]');
    expect(inferredType(model, 'z')).toBe('float32[n,3,2]');
    // Of the body, what holds in both calls.
    const [reshape, transpose] = [...body.nodes()];
    const typeOf = (value: Value | undefined): string => formatType(inferTypes(model).typeOf(value as Value));
    expect(typeOf(reshape?.outputs[0])).toBe('float32[n,2,3]');
    expect(typeOf(transpose?.outputs[0])).toBe('float32[?,?,?]');
  });

  it('give their data back, so that shapes can be computed in them', () => {
    const body = graphOf({ inputs: { a: '' }, nodes: [['Shape(a) -> s']], outputs: { s: '' } });
    const model = modelOf(
      { inputs: { x: 'float32[n,6]' }, nodes: [['local:SizeOf(x) -> s'], ['ConstantOfShape(s) -> y']] },
      21,
      { local: 1 },
    );
    model.functions.push(functionOf('SizeOf', body));
    expect(inferredType(model, 'y')).toBe('float32[n,6]');
  });

  it('stay unknown when they call themselves', () => {
    const body = graphOf({ inputs: { a: '' }, nodes: [['local:Self(a) -> b']], outputs: { b: '' } });
    const model = modelOf({ inputs: { x: 'float32[n]' }, nodes: [['local:Self(x) -> y']] }, 21, { local: 1 });
    model.functions.push(functionOf('Self', body));
    expect(inferredType(model, 'y')).toBe('?');
    expect(inferTypes(model).diagnostics[0]?.message).toContain('calls itself');
  });

  it('stop where they expand without end', () => {
    const model = modelOf({ inputs: { x: 'float32[n]' }, nodes: [['local:F0(x) -> y']] }, 21, { local: 1 });
    // Each calls the next one four times: 4^20 nodes in the end.
    for (let level = 0; level < 20; level++) {
      const call = `local:F${level + 1}`;
      const body = graphOf({
        inputs: { a: '' },
        nodes: [[`${call}(a) -> b`], [`${call}(b) -> c`], [`${call}(c) -> d`], [`${call}(d) -> e`]],
        outputs: { e: '' },
      });
      model.functions.push(functionOf(`F${level}`, body));
    }
    model.functions.push(
      functionOf('F20', graphOf({ inputs: { a: '' }, nodes: [['Relu(a) -> e']], outputs: { e: '' } })),
    );
    expect(inferTypes(model).diagnostics.map(({ rule }) => rule)).toContain('inference-stopped');
  });
});
