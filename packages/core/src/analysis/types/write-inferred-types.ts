import { type Graph, type Model, type Value, walkGraphs } from '../../ir/index.ts';
import { type InferOptions, inferTypes, type TypeInference } from './infer-types.ts';

/**
 * Puts the inferred types on the values inside the graphs, so that the writer emits `value_info` for them. Inputs and
 * outputs of the model keep what they declare, but in mode `onnx`, where Python refines the outputs too. Bodies of
 * functions get none: their types depend on the call. Returns how many values got a new type.
 */
export function writeInferredTypes(model: Model, options: InferOptions = {}): number {
  const inference = inferTypes(model, options);
  let count = 0;
  for (const graph of walkGraphs(model.graph)) {
    for (const value of innerValues(graph, options.mode === 'onnx')) if (write(value, inference)) count++;
  }
  return count;
}

function* innerValues(graph: Graph, includesOutputs: boolean): Iterable<Value> {
  // Inputs of subgraphs get their types from the node around.
  if (graph.owner) yield* graph.inputs;
  for (const node of graph.nodes()) {
    for (const value of node.outputs) {
      if (value && (includesOutputs || graph.owner || !value.isGraphOutput)) yield value;
    }
  }
}

function write(value: Value, inference: TypeInference): boolean {
  const type = inference.typeOf(value);
  if (!type || JSON.stringify(type) === JSON.stringify(value.type)) return false;
  value.type = type;
  return true;
}
