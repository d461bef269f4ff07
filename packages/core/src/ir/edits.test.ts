import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OptimumError } from '../foundation/index.ts';
import {
  addNode,
  Graph,
  graphAttribute,
  int64Tensor,
  intAttribute,
  Model,
  type Node,
  Value,
  verify,
  walkGraphs,
  walkNodes,
} from './index.ts';

/** One edit: which, and three numbers by which it picks what it works on. */
type Edit = readonly [kind: number, a: number, b: number, c: number];

class Editor {
  readonly graph = new Graph('main');
  readonly model = new Model(this.graph);
  /** Graphs whose attribute went. */
  readonly #gone: Graph[] = [];
  /** Nodes that were removed. */
  readonly #parked: Node[] = [];
  #names = 0;

  constructor() {
    const input = this.graph.addInput(new Value('x'));
    this.graph.addOutput(this.#named(addNode(this.graph, 'Neg', { inputs: [input] }).outputs[0] as Value));
  }

  /** Edits that the IR may refuse, but never half-do. */
  readonly edits: readonly ((a: number, b: number, c: number) => void)[] = [
    (a, b, c) => this.#insert(a, b, c),
    (a, b, c) => this.#insert(a, b, c),
    (a, b) => this.#withNode(a, (node) => node.setInput(b % 4, pick(visibleBefore(node), b))),
    (a, b) => this.#withNode(a, (node) => node.setInput(b % Math.max(1, node.inputs.length), undefined)),
    (a) => this.#withNode(a, (node) => node.graph?.remove(node)),
    (a, b) => this.#replace(a, b),
    (a, b) => this.#withNode(a, (node) => node.setAttribute(`attribute_${b % 3}`, intAttribute(b))),
    (a, b) => this.#addSubgraph(a, b),
    (a, b) => pick(this.#graphs(), a).addInitializer(int64Tensor([1], [b]), `w${this.#names++}`),
    (a) => this.#addFallback(a),
    (a, b) => this.#withGraph(a, (graph) => graph.removeInitializer(pick([...graph.initializers], b))),
    (a) => void pick(this.#graphs(), a).addInput(this.#named(new Value())),
    (a, b) => this.#withGraph(a, (graph) => graph.removeInput(pick(graph.inputs, b))),
    (a, b) => this.#withGraph(a, (graph) => this.#addOutput(graph, b)),
    (a, b, c) => this.#withGraph(a, (graph) => graph.setOutput(b % graph.outputs.length, pick(ownValues(graph), c))),
    (a, b) => this.#withNode(a, (node) => this.#dropGraph(node, b)),
    (a, b) => this.#withNode(a, (node) => this.#setGraph(node, pick(this.#graphs(), b))),
    (a, b) => this.#withNode(a, (node) => this.#gone.length > 0 && this.#setGraph(node, pick(this.#gone, b))),
    (a, b) => this.#withNode(a, (node) => this.#removeAndReturn(node, b)),
    (a) => this.#withNode(a, (node) => this.#park(node)),
    (a, b) => this.#unpark(a, b),
    (a, b, c) => this.#insertTaken(a, b, c),
    (a) => this.#editGone(a),
  ];

  #graphs = (): Graph[] => [...walkGraphs(this.model)];

  #named(value: Value): Value {
    value.name ??= `public_${this.#names++}`;
    return value;
  }

  #withNode(a: number, edit: (node: Node) => unknown): void {
    const nodes = [...walkNodes(this.model)];
    if (nodes.length > 0) edit(pick(nodes, a));
  }

  #withGraph(a: number, edit: (graph: Graph) => void): void {
    const graph = pick(this.#graphs(), a);
    if (graph.outputs.length > 0 && graph.initializers.size > 0 && graph.inputs.length > 0) edit(graph);
  }

  #insert(a: number, b: number, c: number): void {
    const graph = pick(this.#graphs(), a);
    const nodes = [...graph.nodes()];
    const position = c % 3 === 0 ? undefined : nodes[c % (nodes.length + 1)];
    const visible = position ? visibleBefore(position) : visibleAtEnd(graph);
    const inputs = visible.length > 0 ? [pick(visible, b), c % 2 ? undefined : pick(visible, c)] : [];
    addNode(graph, 'Op', { inputs, outputTypes: c % 5 === 0 ? [undefined, undefined] : [undefined] }, position);
  }

  /** A value gives way to one that is defined before it, so that whoever reads it still may. */
  #replace(a: number, b: number): void {
    this.#withNode(a, (node) => {
      const value = node.outputs[0];
      const before = visibleBefore(node);
      if (value && before.length > 0) value.replaceAllUsesWith(pick(before, b));
    });
  }

  #addSubgraph(a: number, b: number): void {
    this.#withNode(a, (node) => {
      if (node.subgraphs.length > 0 || depthOf(node) > 3) return;
      const body = new Graph('body');
      const seen = visibleBefore(node);
      const inner = addNode(body, 'Inner', { inputs: seen.length > 0 ? [pick(seen, b)] : [] });
      body.addOutput(this.#named(inner.outputs[0] as Value));
      node.setAttribute('body', graphAttribute(body));
    });
  }

  #addFallback(a: number): void {
    const free = this.graph.inputs.filter((value) => !this.graph.initializers.has(value));
    if (free.length > 0) this.graph.addInitializer(int64Tensor([1], [a]), undefined, pick(free, a));
  }

  #dropGraph(node: Node, b: number): void {
    this.#gone.push(...node.subgraphs);
    node.setAttribute('body', b % 2 ? intAttribute(b) : undefined);
  }

  /** A graph that is gone may read what is gone since, or later: then the node goes without it. */
  #setGraph(node: Node, body: Graph): void {
    const old = node.subgraphs[0];
    node.setAttribute('body', graphAttribute(body));
    if (old && old !== body) this.#gone.push(old);
    const isSound = verify(this.model).every(({ rule }) => !['defined-before-use', 'no-detached-read'].includes(rule));
    if (!isSound) node.setAttribute('body', undefined);
  }

  /** At the end of its graph, or where it was. */
  #removeAndReturn(node: Node, b: number): void {
    const { graph, next } = node;
    graph?.remove(node);
    if (b % 2 && next) graph?.insertBefore(node, next);
    else graph?.append(node);
  }

  #park(node: Node): void {
    node.graph?.remove(node);
    this.#parked.push(node);
  }

  #unpark(a: number, b: number): void {
    const node = this.#parked.pop();
    if (!node) return;
    const graph = pick(this.#graphs(), a);
    const visible = visibleAtEnd(graph);
    for (const index of node.inputs.keys()) node.setInput(index, visible.length > 0 ? pick(visible, b) : undefined);
    node.setAttribute('body', undefined);
    graph.append(node);
  }

  /** A node that would make what is made elsewhere, or own what another owns. */
  #insertTaken(a: number, b: number, c: number): void {
    const graph = pick(this.#graphs(), a);
    const inputs = visibleAtEnd(graph).slice(0, 2);
    const attributes = { body: graphAttribute(pick(this.#graphs(), c)) };
    if (c % 2 || inputs.length === 0) addNode(graph, 'Taken', { inputs, attributes });
    else addNode(graph, 'Taken', { inputs, outputs: [new Value(), pick(inputs, b)] });
  }

  /** Refused, but for one that was put back. */
  #editGone(a: number): void {
    if (this.#gone.length > 0) addNode(pick(this.#gone, a), 'Late', { inputs: this.graph.inputs.slice(0, 1) });
  }

  #addOutput(graph: Graph, b: number): void {
    graph.addOutput(this.#named(pick(ownValues(graph), b)));
  }
}

const pick = <T>(items: readonly T[], index: number): T => items[index % items.length] as T;

const namesOf = (values: readonly Value[]): (string | undefined)[] => values.map(({ name }) => name);

const ownValues = (graph: Graph): Value[] =>
  [...graph.inputs, ...graph.initializers, ...[...graph.nodes()].flatMap((node) => node.outputs)].filter(
    (value) => value !== undefined,
  );

function visibleBefore(node: Node): Value[] {
  const graph = node.graph as Graph;
  const values = [...outside(graph), ...graph.inputs, ...graph.initializers];
  for (const other of graph.nodes()) {
    if (other === node) break;
    for (const value of other.outputs) if (value) values.push(value);
  }
  return values;
}

const outside = (graph: Graph): Value[] => (graph.owner?.graph ? visibleBefore(graph.owner) : []);
const visibleAtEnd = (graph: Graph): Value[] => [...outside(graph), ...ownValues(graph)];
const depthOf = (node: Node): number => (node.graph?.owner ? 1 + depthOf(node.graph.owner) : 0);

const edit: fc.Arbitrary<Edit> = fc.tuple(
  fc.nat(new Editor().edits.length - 1),
  fc.nat(1000),
  fc.nat(1000),
  fc.nat(1000),
);

describe('edits in any order', () => {
  it('keep every invariant, also when they are refused', () => {
    let refused = 0;
    let done = 0;
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 40, size: 'max' }), (edits) => {
        const editor = new Editor();
        for (const [kind, a, b, c] of edits) {
          const outputNames = namesOf(editor.graph.outputs);
          try {
            editor.edits[kind]?.(a, b, c);
            done++;
          } catch (error) {
            if (!OptimumError.isInstance(error)) throw error;
            refused++;
          }
          expect(verify(editor.model)).toEqual([]);
          expect(namesOf(editor.graph.outputs).slice(0, outputNames.length)).toEqual(outputNames);
          expect(namesOf(editor.graph.inputs)).not.toContain(undefined);
        }
      }),
      { seed: 20240611, numRuns: 400 },
    );
    expect(done).toBeGreaterThan(1000);
    expect(refused).toBeGreaterThan(50);
  });
});
