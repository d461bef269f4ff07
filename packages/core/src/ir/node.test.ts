import { describe, expect, it } from 'vitest';
import { addNode, Graph, graphAttribute, intAttribute, Model, Node, Value, verify } from './index.ts';

/** A graph that reads `captured` from outside and gives out its negation. */
function bodyOf(captured: Value, name = 'body'): Graph {
  const body = new Graph(name);
  body.addOutput(addNode(body, 'Neg', { inputs: [captured] }).outputs[0] as Value);
  return body;
}

/** x → Relu → seen; If, whose branch reads it, and in there another If, whose branch does as well. */
function sample() {
  const graph = new Graph('main');
  const model = new Model(graph);
  const x = graph.addInput(new Value('x'));
  const seen = addNode(graph, 'Relu', { inputs: [x] }).outputs[0] as Value;
  const inner = bodyOf(seen, 'inner');
  const body = bodyOf(seen);
  // Gives out what it captures, which is a use of its own.
  body.addOutput(seen);
  const nested = addNode(body, 'If', { inputs: [], attributes: { then_branch: graphAttribute(inner) } });
  const branch = addNode(graph, 'If', { inputs: [x], attributes: { then_branch: graphAttribute(body) } });
  return { graph, model, x, seen, inner, body, nested, branch };
}

type Sample = ReturnType<typeof sample>;

describe('a node outside of a graph', () => {
  it('reads nothing and makes nothing', () => {
    const { seen, model } = sample();
    const uses = seen.uses.size;
    const node = new Node('Neg', { inputs: [seen], outputs: [new Value()] });
    node.setInput(2, seen);
    expect(node.inputs).toEqual([seen, undefined, seen]);
    expect(node.outputs[0]?.producer).toBeUndefined();
    expect(seen.uses.size).toBe(uses);
    expect(verify(model)).toEqual([]);
  });

  it('comes back after it was removed, edited, with its graphs and what they read', () => {
    const { graph, model, seen, branch, body } = sample();
    graph.remove(branch);
    expect(seen.uses.size).toBe(0);
    branch.setInput(0, seen);
    expect(verify(model)).toEqual([]);
    graph.append(branch);
    expect(branch.outputs[0]?.producer).toBe(branch);
    expect(body.owner).toBe(branch);
    expect(seen.uses.size).toBe(4);
    expect(verify(model)).toEqual([]);
  });

  it('hands its graphs on to another node', () => {
    const { graph, model, branch } = sample();
    graph.remove(branch);
    const other = addNode(graph, 'If', { inputs: [], attributes: branch.attributes });
    expect(verify(model)).toEqual([]);
    expect(() => graph.append(branch)).toThrow(/belongs to another node/);
    expect(branch.outputs[0]?.producer).toBeUndefined();
    graph.remove(other);
    graph.append(branch);
    expect(verify(model)).toEqual([]);
  });
});

describe('setAttribute', () => {
  it.each([
    ['is removed', undefined],
    ['gives way to a number', intAttribute(1)],
    ['gives way to another graph', graphAttribute(new Graph('other'))],
  ])('lets go of what a graph reads that %s', (_, attribute) => {
    const { model, seen, branch, body } = sample();
    branch.setAttribute('then_branch', attribute);
    expect(seen.uses.size).toBe(0);
    expect(body.owner).toBeUndefined();
    expect(verify(model)).toEqual([]);
  });

  it('keeps the graphs that the old and the new attribute share', () => {
    const { model, seen, branch, body } = sample();
    const second = bodyOf(seen);
    branch.setAttribute('branches', { type: 'graphs', value: [second, bodyOf(seen)] });
    branch.setAttribute('branches', { type: 'graphs', value: [second] });
    branch.setAttribute('then_branch', graphAttribute(body));
    expect(seen.uses.size).toBe(4);
    expect(verify(model)).toEqual([]);
  });

  it('takes a graph back', () => {
    const { model, seen, branch, body } = sample();
    branch.setAttribute('then_branch', undefined);
    branch.setAttribute('else_branch', graphAttribute(body));
    expect(seen.uses.size).toBe(3);
    expect(verify(model)).toEqual([]);
  });

  const refused: readonly [what: string, message: RegExp, edit: (sample: Sample) => void][] = [
    [
      'a graph of another node',
      /belongs to another/,
      ({ graph, body }) => addNode(graph, 'If', { inputs: [] }).setAttribute('body', graphAttribute(body)),
    ],
    [
      'a graph of another attribute',
      /belongs to another/,
      ({ branch, body }) => branch.setAttribute('else_branch', graphAttribute(body)),
    ],
    [
      'a graph twice',
      /belongs to another/,
      ({ branch, body }) => branch.setAttribute('then_branch', { type: 'graphs', value: [body, body] }),
    ],
    [
      'its own graph',
      /contain itself/,
      ({ graph, branch }) => branch.setAttribute('else_branch', graphAttribute(graph)),
    ],
    [
      'a graph further out',
      /contain itself/,
      ({ graph, nested }) => nested.setAttribute('else_branch', graphAttribute(graph)),
    ],
  ];

  it.each(refused)('refuses %s, and changes nothing', (_, message, edit) => {
    const made = sample();
    const before = [...made.branch.attributes.keys(), ...made.nested.attributes.keys()];
    expect(() => edit(made)).toThrow(message);
    expect([...made.branch.attributes.keys(), ...made.nested.attributes.keys()]).toEqual(before);
    expect(made.body.owner).toBe(made.branch);
    expect(verify(made.model)).toEqual([]);
  });
});

describe('a node that enters a graph', () => {
  const refused: readonly [what: string, message: RegExp, edit: (sample: Sample) => void][] = [
    [
      'an output of another node',
      /comes from elsewhere/,
      ({ graph, x, seen }) => addNode(graph, 'Neg', { inputs: [x], outputs: [new Value(), seen] }),
    ],
    [
      'an input as output',
      /comes from elsewhere/,
      ({ graph, x }) => addNode(graph, 'Neg', { inputs: [x], outputs: [x] }),
    ],
    [
      'one output twice',
      /comes from elsewhere/,
      ({ graph, x }) => addNode(graph, 'Split', { inputs: [x], outputs: new Array(2).fill(new Value()) }),
    ],
    [
      'a place in another graph',
      /is not in this graph/,
      ({ graph, x, nested }) => addNode(graph, 'Neg', { inputs: [x] }, nested),
    ],
    [
      'its graph inside itself',
      /contain itself/,
      ({ graph, x }) => addNode(graph, 'If', { inputs: [x], attributes: { then_branch: graphAttribute(graph) } }),
    ],
    [
      'a graph around it inside itself',
      /contain itself/,
      ({ graph, body, x }) => addNode(body, 'If', { inputs: [x], attributes: { then_branch: graphAttribute(graph) } }),
    ],
    [
      'one graph in two attributes',
      /belongs to another/,
      ({ graph, x }) => {
        const shared = graphAttribute(new Graph());
        addNode(graph, 'If', { inputs: [x], attributes: { then_branch: shared, else_branch: shared } });
      },
    ],
    ['a second place', /already is in a graph/, ({ graph, nested }) => graph.append(nested)],
  ];

  it.each(refused)('is refused with %s, and nothing changes', (_, message, edit) => {
    const made = sample();
    const { revision } = made.graph;
    const uses = made.x.uses.size;
    expect(() => edit(made)).toThrow(message);
    expect([made.graph.revision, made.x.uses.size]).toEqual([revision, uses]);
    expect(verify(made.model)).toEqual([]);
  });

  it('is refused by its own graph', () => {
    const body = new Graph('body');
    const node = new Node('If', { inputs: [], outputs: [], attributes: { then_branch: graphAttribute(body) } });
    expect(() => body.append(node)).toThrow(/contain itself/);
    expect(body.owner).toBeUndefined();
  });
});

describe('a graph that went with its node', () => {
  const edits: readonly [what: string, edit: (sample: Sample) => void][] = [
    ['a new node', ({ body, seen }) => addNode(body, 'Neg', { inputs: [seen] })],
    ['a new node further in', ({ inner, seen }) => addNode(inner, 'Neg', { inputs: [seen] })],
    ['an input of a node', ({ nested, seen }) => nested.setInput(0, seen)],
    ['an attribute of a node', ({ nested }) => nested.setAttribute('then_branch', undefined)],
    ['an output', ({ body, seen }) => body.addOutput(seen)],
    ['another output', ({ body, x }) => body.setOutput(0, x)],
    ['the removal of a node', ({ body, nested }) => body.remove(nested)],
  ];

  it.each(edits)('refuses %s', (_, edit) => {
    const made = sample();
    made.graph.remove(made.branch);
    expect(() => edit(made)).toThrow(/went with its node/);
    expect(verify(made.model)).toEqual([]);
    made.graph.append(made.branch);
    expect(verify(made.model)).toEqual([]);
  });
});
