import type { ActivationScheme } from '../observe/index.ts';

/** How the constant operand of a matrix product or convolution is stored. */
export interface WeightScheme {
  /** int4 only with ranges from calibration, in the QDQ form: for devices that claim kernels for it. */
  readonly elementType: 'int8' | 'uint8' | 'int4';
  readonly granularity: 'tensor' | 'channel';
  /** Full range [-127, 127], 7 bits [-64, 63], or column scales raised just so far that no pair along K saturates. */
  readonly range: 'full' | 'reduced' | 'pair-aware';
}

/** How an embedding table is stored. */
export interface TableScheme {
  readonly elementType: 'int8' | 'uint8';
  readonly granularity: 'tensor' | 'row';
}

/** Why a node stays float. `code` is stable, `text` is for people. */
export interface Reason {
  readonly code:
    | 'not-constant'
    | 'no-capability'
    | 'no-faster'
    | 'excluded'
    | 'shape'
    | 'element-type'
    | 'opset'
    | 'function'
    | 'attributes'
    | 'recipe'
    | 'accuracy'
    | 'subgraph'
    | 'not-observed';
  readonly text: string;
}

export type Decision =
  | { readonly action: 'matmul'; readonly weight: WeightScheme; readonly capability: string }
  | { readonly action: 'conv'; readonly weight: WeightScheme; readonly capability: string }
  | { readonly action: 'embedding'; readonly table: TableScheme; readonly capability: string }
  /** Integer with ranges from calibration: its inputs and output are stored as the plan's `activations` say. */
  | { readonly action: 'static'; readonly weight?: WeightScheme; readonly capability: string }
  | { readonly action: 'float'; readonly reason: Reason };

export interface PlanEntry {
  /** Stable id of the node: see `nodeIds`. */
  readonly id: string;
  readonly op: string;
  /** The weight's dims as stored, when there is one. */
  readonly weight?: readonly number[];
  readonly decision: Decision;
  /** Activations that a static node takes as integers, and those that it gives as integers: ids as in `activations`. */
  readonly reads?: readonly string[];
  readonly writes?: readonly string[];
}

/** How one activation is stored between integer kernels, and where its scale and zero point come from. */
export interface ActivationEntry {
  /** Id of the value: see `valueIds`. */
  readonly id: string;
  readonly scheme: ActivationScheme;
  readonly parameters: ParameterSource;
}

/**
 * `own`: from the statistics of the tensor itself. `fixed`: known without data (Softmax is in [0, 1]). `shared`: those of
 * another value, because the operator between them only moves numbers. (Parameters of a bias are derived from those of
 * input and weight; they are nobody's choice and not in the plan.)
 */
export type ParameterSource =
  | { readonly kind: 'own' }
  | { readonly kind: 'fixed'; readonly scale: number; readonly zeroPoint: number }
  | { readonly kind: 'shared'; readonly with: string };

/**
 * How static integers are written: as QuantizeLinear and DequantizeLinear around float operators, which the runtime
 * fuses, or as the integer operators themselves.
 */
export type StaticForm = 'qdq' | 'qoperator';

/**
 * What becomes of the shapes of inner values: `write` puts inferred ones in (as Python's tool does), `keep` leaves
 * what the input had, `drop` removes them, so that ONNX Runtime cannot prove the shapes by which it would fuse the
 * slow SkipLayerNormalization.
 */
export type ValueInfo = 'keep' | 'write' | 'drop';

/** The decision per node. Plain JSON: it is printed, edited and accepted back. */
export interface Plan {
  readonly version: 1;
  readonly target: string;
  readonly features: readonly string[];
  readonly recipe: string;
  readonly valueInfo: ValueInfo;
  readonly entries: readonly PlanEntry[];
  /** Present where some decision is `static`. */
  readonly activations?: readonly ActivationEntry[];
  readonly form?: StaticForm;
  /** Key of the table of measured times by which operators were left in float: see `optimum probe`. */
  readonly costTable?: string;
}
