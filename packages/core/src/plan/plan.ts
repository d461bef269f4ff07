/** How the constant operand of a matrix product or convolution is stored. */
export interface WeightScheme {
  readonly elementType: 'int8' | 'uint8';
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
    | 'recipe';
  readonly text: string;
}

export type Decision =
  | { readonly action: 'matmul'; readonly weight: WeightScheme; readonly capability: string }
  | { readonly action: 'conv'; readonly weight: WeightScheme; readonly capability: string }
  | { readonly action: 'embedding'; readonly table: TableScheme; readonly capability: string }
  | { readonly action: 'float'; readonly reason: Reason };

export interface PlanEntry {
  /** Stable id of the node: see `nodeIds`. */
  readonly id: string;
  readonly op: string;
  /** The weight's dims as stored, when there is one. */
  readonly weight?: readonly number[];
  readonly decision: Decision;
}

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
}
