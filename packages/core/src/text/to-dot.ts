import { assignNames, formatType, type Graph, graphsOf, type Model, type Node, type Value } from '../ir/index.ts';
import { nameOf, printTensorType } from './print-context.ts';

/** Graphviz text of a model under construction; ids are given in the order of first use. */
interface Drawing {
  readonly names: ReadonlyMap<Value, string>;
  readonly ids: Map<object, string>;
  /** Edges cross clusters, so they stand at the end, outside of all. */
  readonly edges: string[];
}

/**
 * The model for graphviz (`dot -Tsvg`): nodes are boxes, inputs and outputs ellipses, weights notes, functions and
 * subgraphs clusters; an edge tells the value and its type. No weight is read. Deterministic.
 */
export function toDot(model: Model): string {
  const drawing: Drawing = { names: assignNames(model), ids: new Map(), edges: [] };
  const lines = [
    ...drawGraph(model.graph, drawing, '  '),
    ...model.functions.flatMap(({ name, body }) => drawCluster(`function ${name}`, body, drawing, '  ')),
  ];
  return `digraph {\n  node [shape=box];\n${[...lines, ...drawing.edges].join('\n')}\n}\n`;
}

/** Line breaks are labels' own; everything else that graphviz reads is escaped. */
const label = (...lines: readonly string[]): string =>
  `"${lines.map((line) => line.replace(/[\\"]/g, '\\$&').replace(/[\p{Cc}\p{Cf}]/gu, ' ')).join('\\n')}"`;

function idOf(key: object, { ids }: Drawing): string {
  const id = ids.get(key) ?? `n${ids.size}`;
  ids.set(key, id);
  return id;
}

function drawGraph(graph: Graph, drawing: Drawing, indent: string): string[] {
  const inputs = graph.inputs.map((value) => drawValue(value, 'ellipse', drawing));
  const weights = [...graph.initializers].flatMap((value) =>
    value.origin.kind === 'initializer' ? [drawValue(value, 'note', drawing)] : [],
  );
  const nodes = [...graph.nodes()].flatMap((node) => drawNode(node, drawing, indent));
  const outputs = graph.outputs.map((value, index) => drawOutput(graph, value, index, drawing));
  return [...[...inputs, ...weights].map((line) => indent + line), ...nodes, ...outputs.map((line) => indent + line)];
}

function drawValue(value: Value, shape: string, drawing: Drawing): string {
  const { origin } = value;
  const type = origin.kind === 'initializer' ? printTensorType(origin.tensor) : formatType(value.type);
  return `${idOf(value, drawing)} [shape=${shape}, label=${label(nameOf(value, drawing), type)}];`;
}

function drawNode(node: Node, drawing: Drawing, indent: string): string[] {
  const id = idOf(node, drawing);
  for (const value of node.inputs) if (value) drawEdge(value, id, drawing);
  const lines = node.name ? [node.op, node.name] : [node.op];
  const clusters = [...node.attributes].flatMap(([name, attribute]) => {
    return graphsOf(attribute).flatMap((graph) => {
      drawing.edges.push(`  ${id} -> ${idOf(graph, drawing)} [style=dashed];`);
      return drawCluster(`${name} of ${node.name ?? node.op}`, graph, drawing, indent);
    });
  });
  return [`${indent}${id} [label=${label(...lines)}];`, ...clusters];
}

/** A cluster has an anchor of its own, so that the node that holds it can point at it even when it is empty. */
function drawCluster(title: string, graph: Graph, drawing: Drawing, indent: string): string[] {
  const anchor = idOf(graph, drawing);
  const inner = `${indent}  `;
  return [
    `${indent}subgraph cluster_${anchor} {`,
    `${inner}label=${label(title)};`,
    `${inner}${anchor} [shape=point];`,
    ...drawGraph(graph, drawing, inner),
    `${indent}}`,
  ];
}

function drawOutput(graph: Graph, value: Value, index: number, drawing: Drawing): string {
  // An output is a place, not a value: the same value may stand in several.
  const id = `${idOf(graph, drawing)}_output${index}`;
  drawEdge(value, id, drawing);
  return `${id} [shape=ellipse, label=${label(nameOf(value, drawing), formatType(value.type))}];`;
}

function drawEdge(value: Value, target: string, drawing: Drawing): void {
  const source = idOf(value.producer ?? value, drawing);
  const text = value.producer ? label(nameOf(value, drawing), formatType(value.type)) : '""';
  drawing.edges.push(`  ${source} -> ${target} [label=${text}];`);
}
