import type { Graph } from './graph.ts';
import type { Model } from './model.ts';
import type { Node } from './node.ts';
import type { Value } from './value.ts';

/** A graph as its raw links show it, which may differ from what its methods say when the graph is broken. */
export interface SurveyedGraph {
  readonly graph: Graph;
  /** Along `next` from the first node; stops at a node that was seen before. */
  readonly nodes: readonly Node[];
  /** The node in whose attribute the graph was found. */
  readonly holder: Node | undefined;
}

/** Everything that is in a model, found once for all invariants and safe on broken models. */
export interface Survey {
  readonly model: Model;
  readonly graphs: ReadonlyMap<Graph, SurveyedGraph>;
  readonly nodes: ReadonlySet<Node>;
  /** Graphs that sit in more than one place. */
  readonly shared: readonly SurveyedGraph[];
  /** How many times each value is read, by nodes and as outputs of graphs. */
  readonly reads: ReadonlyMap<Value, number>;
}

export const rootsOf = (model: Model): Graph[] => [model.graph, ...model.functions.map(({ body }) => body)];

export function surveyModel(model: Model): Survey {
  const graphs = new Map<Graph, SurveyedGraph>();
  const nodes = new Set<Node>();
  const shared: SurveyedGraph[] = [];
  const pending: [Graph, Node | undefined][] = rootsOf(model).map((graph) => [graph, undefined]);
  for (let entry = pending.pop(); entry; entry = pending.pop()) {
    const [graph, holder] = entry;
    const surveyed: SurveyedGraph = { graph, nodes: chain(graph, nodes), holder };
    if (graphs.has(graph)) shared.push(surveyed);
    else {
      graphs.set(graph, surveyed);
      for (const node of surveyed.nodes) {
        nodes.add(node);
        for (const inner of node.subgraphs) pending.push([inner, node]);
      }
    }
  }
  return { model, graphs, nodes, shared, reads: countReads(graphs.values()) };
}

function chain(graph: Graph, seen: ReadonlySet<Node>): Node[] {
  const nodes = new Set<Node>();
  for (let node = graph.firstNode; node && !nodes.has(node) && !seen.has(node); node = node.next) nodes.add(node);
  return [...nodes];
}

function countReads(graphs: Iterable<SurveyedGraph>): Map<Value, number> {
  const reads = new Map<Value, number>();
  const read = (value: Value | undefined): void => {
    if (value) reads.set(value, (reads.get(value) ?? 0) + 1);
  };
  for (const { graph, nodes } of graphs) {
    for (const node of nodes) node.inputs.forEach(read);
    graph.outputs.forEach(read);
  }
  return reads;
}
