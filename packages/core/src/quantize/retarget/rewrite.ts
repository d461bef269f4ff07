import type { Model, Node } from '../../ir/index.ts';
import type { RetargetTarget } from './target-kernels.ts';

/** Every way to make a quantized model fit a target, in the order in which they are applied. */
export type RewriteId =
  | 'unsigned-activations'
  | 'signed-weights'
  | 'pair-aware-weights'
  | 'unsigned-weights'
  | 'accuracy-level';

/**
 * `all`: whatever the runtime makes of the model. `basic`: as long as it computes the graph as it is written; what it fuses
 * above may round otherwise for the other type. `none`: the grid of the integers is another one.
 */
export type IdenticalUpTo = 'all' | 'basic' | 'none';

/** What one rewrite did to operators of one kind. */
export interface RetargetAction {
  readonly rewrite: RewriteId;
  /** Operator type as the model has it. */
  readonly op: string;
  /** Node ids, see `nodeIds`. */
  readonly nodes: readonly string[];
  /** One sentence for people. */
  readonly text: string;
  /** Up to which optimization level of the runtime outputs are equal byte by byte on exact kernels. */
  readonly identicalUpTo: IdenticalUpTo;
  /** How much faster the operators themselves are expected to be; absent where the kernel that runs now is not known. */
  readonly predictedGain?: number | undefined;
  /** Where the gain is from. */
  readonly source?: string | undefined;
  readonly pairs?: PairFacts | undefined;
}

/** Columns of weights whose neighbours could pass 16 bits, and what was done about it. */
export interface PairFacts {
  readonly columns: number;
  /** Columns that could saturate with some activation. */
  readonly risky: number;
  /** Mean factor by which the scales of these were raised. */
  readonly scaleFactor: number;
}

/** Operators that stay as they are, and why. */
export interface LeftAlone {
  readonly op: string;
  readonly nodes: readonly string[];
  readonly reason: string;
  /** What else would help. */
  readonly advice?: string | undefined;
  /** True where sums may still saturate on the target. */
  readonly maySaturate?: boolean | undefined;
}

/** What a rewrite works on, and where it tells what it did. */
export interface RetargetScope {
  readonly model: Model;
  readonly target: RetargetTarget;
  act(node: Node, action: Omit<RetargetAction, 'nodes' | 'op'>): void;
  leave(node: Node, reason: string, more?: Pick<LeftAlone, 'advice' | 'maySaturate'>): void;
}

export type Rewrite = (scope: RetargetScope) => void;
