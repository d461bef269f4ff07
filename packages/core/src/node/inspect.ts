import { storedTensor } from '../analysis/index.ts';
import { formatType, type Model, type Value, walkGraphs, walkNodes, walkValues } from '../ir/index.ts';
import type { Plan } from '../plan/index.ts';
import { annotate, quantizedOperators } from '../quantize/index.ts';
import { loadModelSync } from './load-model.ts';
import { type PrepareOptions, prepare } from './prepare.ts';

/** What is in a model, as plain data. */
export interface ModelFacts {
  readonly path: string;
  readonly byteLength: number;
  readonly irVersion: number;
  readonly producer: string;
  readonly opsets: readonly { readonly domain: string; readonly version: number }[];
  readonly graphs: number;
  readonly nodes: number;
  readonly functions: number;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Names of dynamic dimensions. */
  readonly symbols: readonly string[];
  readonly operators: readonly { readonly op: string; readonly count: number }[];
  /** Stored tensors by element type and by where they hide. */
  readonly weights: readonly WeightGroup[];
  readonly quantized: readonly { readonly op: string; readonly count: number }[];
}

export interface WeightGroup {
  readonly elementType: string;
  readonly where: 'initializers' | 'Constant nodes' | 'inputs with data' | 'subgraphs';
  readonly count: number;
  readonly byteLength: number;
}

/** Reads the structure of an `.onnx` file. @throws as loadModel */
export function inspectModel(path: string): ModelFacts {
  const loaded = loadModelSync(path);
  try {
    return factsOf(loaded.model, path, loaded.byteLength);
  } finally {
    loaded.close();
  }
}

/** The plan that this machine (or the named target) would get for a model. */
export async function planModel(
  path: string,
  options: PrepareOptions = {},
): Promise<{ readonly plan: Plan; readonly target: string }> {
  const { capabilities, target, recipe } = await prepare(options);
  const loaded = loadModelSync(path);
  try {
    return {
      plan: annotate(loaded.model, { capabilities, features: target.features, recipe, target: target.id }),
      target: target.id,
    };
  } finally {
    loaded.close();
  }
}

function factsOf(model: Model, path: string, byteLength: number): ModelFacts {
  const operators = new Map<string, number>();
  for (const { op, domain } of walkNodes(model)) {
    const name = domain === '' || domain === 'ai.onnx' ? op : `${domain}.${op}`;
    operators.set(name, (operators.get(name) ?? 0) + 1);
  }
  const shown = (value: Value): string => `${value.name ?? ''}: ${formatType(value.type)}`;
  return {
    path,
    byteLength,
    irVersion: model.irVersion ?? 0,
    producer: [model.producerName, model.producerVersion].filter(Boolean).join(' ') || 'no producer',
    opsets: model.opsetImports.map(({ domain, version }) => ({ domain, version })),
    graphs: [...walkGraphs(model)].length,
    nodes: [...walkNodes(model)].length,
    functions: model.functions.length,
    inputs: model.graph.inputs.filter(({ origin }) => origin.kind === 'input' && !origin.fallback).map(shown),
    outputs: model.graph.outputs.map(shown),
    symbols: [
      ...new Set(model.graph.inputs.flatMap(({ shape }) => (shape ?? []).filter((dim) => typeof dim === 'string'))),
    ],
    operators: sorted(operators),
    weights: weightGroups(model),
    quantized: sorted(quantizedOperators(model)),
  };
}

const sorted = (counts: ReadonlyMap<string, number>): { op: string; count: number }[] =>
  [...counts].map(([op, count]) => ({ op, count })).sort((a, b) => b.count - a.count || (a.op < b.op ? -1 : 1));

function weightGroups(model: Model): WeightGroup[] {
  const groups = new Map<
    string,
    { elementType: string; where: WeightGroup['where']; count: number; byteLength: number }
  >();
  for (const value of walkValues(model)) {
    const tensor = storedTensor(value);
    if (!tensor) continue;
    const where = placeOf(value, model);
    const key = `${where} ${tensor.elementType}`;
    const group = groups.get(key) ?? { elementType: tensor.elementType, where, count: 0, byteLength: 0 };
    group.count++;
    group.byteLength += tensor.byteLength;
    groups.set(key, group);
  }
  return [...groups.values()].sort((a, b) => b.byteLength - a.byteLength);
}

function placeOf(value: Value, model: Model): WeightGroup['where'] {
  const { origin } = value;
  const graph = origin.kind === 'output' ? origin.node.graph : origin.kind === 'detached' ? undefined : origin.graph;
  if (graph !== model.graph) return 'subgraphs';
  return origin.kind === 'output' ? 'Constant nodes' : origin.kind === 'input' ? 'inputs with data' : 'initializers';
}
