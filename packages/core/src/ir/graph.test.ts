import { describe, expect, it } from 'vitest';
import { addNode, Graph, graphAttribute, int64Tensor, Model, Node, Value, verify } from './index.ts';

/** input → Relu → Neg → output "y" */
function chainOf(...ops: readonly string[]): { graph: Graph; model: Model; nodes: Node[] } {
  const graph = new Graph('g');
  const model = new Model(graph);
  let value = graph.addInput(new Value('x'));
  const nodes = ops.map((op) => {
    const node = addNode(graph, op, { inputs: [value] });
    value = node.outputs[0] as Value;
    return node;
  });
  value.name = 'y';
  graph.addOutput(value);
  return { graph, model, nodes };
}

const opsOf = (graph: Graph): string[] => Array.from(graph.nodes(), ({ op }) => op);

describe('setOutput', () => {
  it('moves the public name to the new value', () => {
    const { graph, model, nodes } = chainOf('Relu', 'Neg');
    const old = graph.outputs[0] as Value;
    graph.setOutput(0, nodes[0]?.outputs[0] as Value);
    expect(graph.outputs[0]?.name).toBe('y');
    expect(old.name).toBeUndefined();
    expect(old.isGraphOutput).toBe(false);
    expect(verify(model)).toEqual([]);
  });

  it('gives the type of the old value to one that has none', () => {
    const { graph, nodes } = chainOf('Relu', 'Neg');
    (graph.outputs[0] as Value).type = { kind: 'tensor', elementType: 'float32', shape: [2] };
    graph.setOutput(0, nodes[0]?.outputs[0] as Value);
    expect(graph.outputs[0]?.shape).toEqual([2]);
  });

  it.each([
    ['an input', ({ inputs }: Graph) => inputs[0] as Value],
    ['another output', ({ outputs }: Graph) => outputs[1] as Value],
  ])('refuses %s, whose name is public already, and changes nothing', (_, pick) => {
    const { graph, model, nodes } = chainOf('Relu', 'Neg');
    const other = nodes[0]?.outputs[0] as Value;
    other.name = 'z';
    graph.addOutput(other);
    const { revision } = graph;
    expect(() => graph.setOutput(0, pick(graph))).toThrow(/public name/);
    expect(graph.outputs.map(({ name }) => name)).toEqual(['y', 'z']);
    expect(graph.revision).toBe(revision);
    expect(verify(model)).toEqual([]);
  });

  it('refuses an output that is not there', () => {
    const { graph, nodes } = chainOf('Relu');
    expect(() => graph.setOutput(1, nodes[0]?.outputs[0] as Value)).toThrow(/no output 1/);
  });
});

describe('setOutput where one value has several places', () => {
  /** A value at outputs 0 and 2 of a graph, and at an output of a graph inside that captures it. */
  function shared(listedFirst = 'main') {
    const { graph, model, nodes } = chainOf('Relu', 'Neg');
    const [first, old] = nodes.map(({ outputs }) => outputs[0]) as [Value, Value];
    const body = new Graph('body');
    body.addOutput(old);
    // Uses are listed in the order in which they came; this puts that of the main graph behind.
    if (listedFirst === 'body') {
      graph.setOutput(0, first);
      graph.setOutput(0, old);
    }
    const branch = addNode(graph, 'If', { inputs: [], attributes: { then_branch: graphAttribute(body) } });
    const z = branch.outputs[0] as Value;
    z.name = 'z';
    graph.addOutput(z);
    graph.addOutput(old);
    return { graph, model, first, old, body, z };
  }

  it('moves all of its outputs in the graph, as they have one name', () => {
    const { graph, model, first, old, z, body } = shared();
    graph.setOutput(2, first);
    expect(graph.outputs).toEqual([first, z, first]);
    expect(body.outputs).toEqual([old]);
    expect(first.name).toBe('y');
    expect(verify(model)).toEqual([]);
  });

  it.each(['main', 'body'])('moves those of all graphs with all uses, from %s on', (listedFirst) => {
    const { graph, model, first, old, z, body } = shared(listedFirst);
    old.replaceAllUsesWith(first);
    expect(graph.outputs).toEqual([first, z, first]);
    expect(body.outputs).toEqual([first]);
    expect([first.name, old.name]).toEqual(['y', undefined]);
    expect(verify(model)).toEqual([]);
  });

  it('does not take the name of an input of a graph around', () => {
    const { model, body, first, old } = shared();
    const input = model.graph.inputs[0] as Value;
    body.setOutput(0, addNode(body, 'Neg', { inputs: [input] }).outputs[0] as Value);
    body.addOutput(input);
    body.setOutput(1, addNode(body, 'Abs', { inputs: [first] }).outputs[0] as Value);
    expect([input.name, old.name]).toEqual(['x', 'y']);
    expect(verify(model)).toEqual([]);
  });

  it('refuses to replace an output that is an input, with all of its uses, and changes nothing', () => {
    const { graph, model, nodes } = chainOf('Relu', 'Neg');
    const input = graph.inputs[0] as Value;
    graph.addOutput(input);
    const { revision } = graph;
    expect(() => graph.setOutput(1, nodes[0]?.outputs[0] as Value)).toThrow(/is an input too/);
    expect(() => input.replaceAllUsesWith(nodes[1]?.outputs[0] as Value)).toThrow(/is an input too/);
    expect([graph.revision, input.name, nodes[0]?.inputs[0]]).toEqual([revision, 'x', input]);
    expect(verify(model)).toEqual([]);
  });
});

describe('iteration over nodes', () => {
  /** The operators that a cursor visits while `edit` runs at the node "B". */
  function visited(edit: (graph: Graph, at: Node, nodes: readonly Node[]) => void): string[] {
    const graph = new Graph();
    const nodes = ['A', 'B', 'C', 'D'].map((op) => addNode(graph, op, { inputs: [] }));
    const seen: string[] = [];
    for (const node of graph.nodes()) {
      seen.push(node.op);
      if (node.op === 'B') edit(graph, node, nodes);
    }
    return seen;
  }
  const made = (op: string): Node => new Node(op, { inputs: [], outputs: [] });

  it('visits what is inserted after the cursor', () => {
    expect(visited((graph, at) => graph.insertAfter(made('new'), at))).toEqual(['A', 'B', 'new', 'C', 'D']);
    expect(visited((graph) => graph.append(made('new')))).toEqual(['A', 'B', 'C', 'D', 'new']);
  });

  it('does not visit what is inserted before the cursor', () => {
    expect(visited((graph, at) => graph.insertBefore(made('new'), at))).toEqual(['A', 'B', 'C', 'D']);
  });

  it('goes on when the node under the cursor is removed', () => {
    expect(visited((graph, at) => graph.remove(at))).toEqual(['A', 'B', 'C', 'D']);
  });

  it('skips nodes that are removed ahead of the cursor', () => {
    expect(visited((graph, _at, [, , next]) => graph.remove(next as Node))).toEqual(['A', 'B', 'D']);
  });

  it('goes on when the node under the cursor and those after it are removed', () => {
    const edit = (graph: Graph, at: Node, [, , next]: readonly Node[]): void => {
      graph.remove(at);
      graph.remove(next as Node);
    };
    expect(visited(edit)).toEqual(['A', 'B', 'D']);
  });
});

describe('edits', () => {
  it('replaces a node by others while iterating', () => {
    const { graph, model } = chainOf('Relu', 'Neg', 'Relu');
    for (const node of graph.nodes()) {
      if (node.op !== 'Relu') continue;
      const clip = addNode(graph, 'Clip', { inputs: node.inputs }, node);
      (node.outputs[0] as Value).replaceAllUsesWith(clip.outputs[0] as Value);
      graph.remove(node);
    }
    expect(opsOf(graph)).toEqual(['Clip', 'Neg', 'Clip']);
    expect(graph.outputs[0]?.name).toBe('y');
    expect(verify(model)).toEqual([]);
  });

  it('refuses to remove a node that is read', () => {
    const { graph, model, nodes } = chainOf('Relu', 'Neg');
    expect(() => graph.remove(nodes[0] as Node)).toThrow(/still read/);
    expect(verify(model)).toEqual([]);
  });

  it('lets go of what a removed subgraph reads', () => {
    const { graph, model, nodes } = chainOf('Relu');
    const captured = nodes[0]?.outputs[0] as Value;
    const body = new Graph('body');
    body.addOutput(addNode(body, 'Neg', { inputs: [captured] }).outputs[0] as Value);
    const branch = addNode(graph, 'If', { inputs: [], attributes: { then_branch: graphAttribute(body) } });
    expect(captured.consumers).toHaveLength(1);
    expect(verify(model)).toEqual([]);
    graph.remove(branch);
    expect(captured.consumers).toEqual([]);
    expect(verify(model)).toEqual([]);
  });

  it('makes the data of a removed input an initializer', () => {
    const { graph, model } = chainOf('Relu');
    const value = graph.addInput(new Value('w'));
    graph.addInitializer(int64Tensor([1], [1]), undefined, value);
    expect(value.origin.kind).toBe('input');
    graph.removeInput(value);
    expect(value.origin.kind).toBe('initializer');
    expect(verify(model)).toEqual([]);
  });

  it('refuses to remove an input that is read, and to take a value in twice', () => {
    const { graph, model } = chainOf('Relu');
    const input = graph.inputs[0] as Value;
    const { revision } = graph;
    expect(() => graph.removeInput(input)).toThrow(/still read/);
    expect(() => graph.addInput(input)).toThrow(/comes from elsewhere/);
    expect([graph.revision, graph.inputs]).toEqual([revision, [input]]);
    expect(verify(model)).toEqual([]);
  });

  it('bumps the revision of the graphs around', () => {
    const { graph } = chainOf('Relu');
    const body = new Graph('body');
    addNode(graph, 'If', { inputs: [], attributes: { then_branch: graphAttribute(body) } });
    const { revision } = graph;
    addNode(body, 'Neg', { inputs: [] });
    expect(graph.revision).toBeGreaterThan(revision);
  });
});
