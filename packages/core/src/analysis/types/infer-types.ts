import type { Diagnostic } from '../../foundation/index.ts';
import type { Dim, Model, Value, ValueType } from '../../ir/index.ts';
import { ModelInference } from './model-inference.ts';

export interface InferOptions {
  /**
   * `data` (the default) follows the data that shapes are computed from, and calculates with symbols.
   *
   * `onnx` gives what Python's `onnx.shape_inference.infer_shapes(model)` gives by default (no data propagation, not
   * strict), `unk__0` included: `onnxruntime.quantization.quantize_dynamic` writes exactly these types into the model,
   * and ONNX Runtime fuses by them.
   */
  readonly mode?: 'data' | 'onnx';
}

/** Types of the values of a model. */
export interface TypeInference {
  /**
   * What is known of a value: inputs and weights as declared, node outputs as declared and inferred. A dimension is a
   * number, a symbol of the model, a sum or product of such (`past_sequence + sequence`, `12*batch`,
   * `min(512, sequence)`), or `null`.
   */
  typeOf(value: Value): ValueType | undefined;
  /** The elements of a small value that depend on nothing but shapes and weights, row by row; unknown ones are `null`. */
  valuesOf(value: Value): readonly Dim[] | undefined;
  /** Operators that cannot take their inputs, and declared types that the graph disproves (those are kept). */
  readonly diagnostics: readonly Diagnostic[];
}

const memory = new WeakMap<Model, Map<string, { readonly revision: string; readonly inference: TypeInference }>>();

/**
 * Element types and shapes of all values, without a change to the model. Never throws: what a hostile or unknown model
 * does not tell stays unknown. Remembered until a graph of the model is edited. O(nodes).
 */
export function inferTypes(model: Model, { mode = 'data' }: InferOptions = {}): TypeInference {
  const known = memory.get(model) ?? new Map<string, { revision: string; inference: TypeInference }>();
  memory.set(model, known);
  const revision = revisionOf(model);
  const before = known.get(mode);
  if (before?.revision === revision) return before.inference;
  const run = new ModelInference(model, mode === 'onnx');
  const inference: TypeInference = {
    typeOf: (value) => run.types.get(value),
    valuesOf: (value) => run.values.get(value),
    diagnostics: run.diagnostics,
  };
  known.set(mode, { revision, inference });
  return inference;
}

/** Bodies of functions are graphs of their own. */
const revisionOf = (model: Model): string =>
  [model.graph, ...model.functions.map(({ body }) => body)].map((graph) => graph.revision).join(' ');
