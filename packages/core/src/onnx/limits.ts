import { OptimumError } from '../foundation/index.ts';

/** Budgets of the reader: what a hostile file may cost before it is refused. All can be raised by the caller. */
export interface ReadLimits {
  /** Messages inside messages; 100 is what protobuf's own parsers allow. */
  readonly depth: number;
  /** Decoded objects (nodes, values, attributes, tensors, entries). */
  readonly objects: number;
  /** Longest name in bytes. */
  readonly nameByteLength: number;
  readonly rank: number;
}

export const defaultLimits: ReadLimits = { depth: 100, objects: 20_000_000, nameByteLength: 65_536, rank: 64 };

/** Counts what was decoded against the limits. Files small in bytes get a small budget: empty nodes cost two bytes. */
export class Budget {
  readonly limits: ReadLimits;
  #objects = 0;
  readonly #objectLimit: number;

  constructor(limits: ReadLimits, fileByteLength: number) {
    this.limits = limits;
    this.#objectLimit = Math.min(limits.objects, Math.max(1_000_000, Math.floor(fileByteLength / 16)));
  }

  object(): void {
    if (++this.#objects <= this.#objectLimit) return;
    throw exceeded('E_LIMIT_OBJECTS', `more than ${this.#objectLimit} objects`, 'limits.objects');
  }

  depth(depth: number): void {
    if (depth > this.limits.depth)
      throw exceeded('E_LIMIT_DEPTH', `more than ${this.limits.depth} nested messages`, 'limits.depth');
  }

  rank(rank: number): void {
    if (rank > this.limits.rank) throw exceeded('E_LIMIT_ELEMENTS', `a tensor of rank ${rank}`, 'limits.rank');
  }
}

function exceeded(
  code: 'E_LIMIT_OBJECTS' | 'E_LIMIT_DEPTH' | 'E_LIMIT_ELEMENTS',
  what: string,
  option: string,
): OptimumError {
  return new OptimumError(code, `The model has ${what}, past the limit of the reader.`, {
    hint: `If you trust the file, raise ${option} of readModel.`,
    context: { option },
  });
}
