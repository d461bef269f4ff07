import type { Attribute } from './attribute.ts';
import type { Graph } from './graph.ts';
import type { Node } from './node.ts';
import type { Value } from './value.ts';

export interface OpsetImport {
  /** `''` is the ONNX standard domain. */
  readonly domain: string;
  readonly version: number;
}

/** A model-local function; its body reads `inputs` by name and its nodes may refer to the function's attributes. */
export interface ModelFunction {
  readonly name: string;
  readonly domain: string;
  readonly overload: string | undefined;
  readonly body: Graph;
  readonly attributes: readonly string[];
  readonly attributeDefaults: ReadonlyMap<string, Attribute>;
  readonly opsetImports: readonly OpsetImport[];
}

/** An ONNX model in memory; weights stay where they are until they are asked for. */
export class Model {
  irVersion: number | undefined;
  producerName: string | undefined;
  producerVersion: string | undefined;
  domain: string | undefined;
  modelVersion: number | bigint | undefined;
  docString: string | undefined;
  opsetImports: OpsetImport[] = [];
  readonly functions: ModelFunction[] = [];
  readonly metadata = new Map<string, string>();
  readonly graph: Graph;

  constructor(graph: Graph) {
    this.graph = graph;
  }

  /** Version of an operator domain, or `undefined` where the model does not import it. */
  opset(domain = ''): number | undefined {
    const isSame = (other: string): boolean => other === domain || (domain === '' && other === 'ai.onnx');
    return this.opsetImports.find((entry) => isSame(entry.domain))?.version;
  }

  /** Imports a domain at least at `version`. */
  requireOpset(domain: string, version: number): void {
    const index = this.opsetImports.findIndex((entry) => entry.domain === domain);
    if (index < 0) this.opsetImports.push({ domain, version });
    else if ((this.opsetImports[index] as OpsetImport).version < version)
      this.opsetImports[index] = { domain, version };
    this.graph.touch();
  }
}

/** Every graph of a model: the main graph, function bodies, and all graphs inside them, outermost first. */
export function* walkGraphs(root: Model | Graph): Iterable<Graph> {
  const pending: Graph[] = root instanceof Model ? [root.graph, ...root.functions.map(({ body }) => body)] : [root];
  for (let graph = pending.shift(); graph; graph = pending.shift()) {
    yield graph;
    for (const node of graph.nodes()) if (node.attributes.size > 0) pending.push(...node.subgraphs);
  }
}

/** Every node, those of subgraphs included. */
export function* walkNodes(root: Model | Graph): Iterable<Node> {
  for (const graph of walkGraphs(root)) yield* graph.nodes();
}

/** Every value: inputs, initializers and node outputs of all graphs, each once. */
export function* walkValues(root: Model | Graph): Iterable<Value> {
  for (const graph of walkGraphs(root)) {
    yield* graph.inputs;
    for (const value of graph.initializers) if (value.origin.kind === 'initializer') yield value;
    for (const node of graph.nodes()) for (const value of node.outputs) if (value) yield value;
  }
}
