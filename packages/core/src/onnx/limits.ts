import { type ErrorCode, OptimumError } from '../foundation/index.ts';

/** Budgets of the reader: what a hostile file may cost before it is refused. All can be raised by the caller. */
export interface ReadLimits {
  /** Messages inside messages; 100 is what protobuf's own parsers allow. At most 900, which the stack can hold. */
  readonly depth: number;
  /**
   * Decoded objects, weighted by their memory: one is about 128 bytes (see `costs`). Unless it is given, a file that
   * is small in bytes gets a small budget, because an empty node costs two bytes and close to a kilobyte of memory.
   */
  readonly objects: number;
  /** Longest name in bytes. */
  readonly nameByteLength: number;
  /** Longest other text or byte string that is kept in memory: documentation, metadata, strings of attributes. */
  readonly textByteLength: number;
  readonly rank: number;
  /** Files of external data. */
  readonly externalFiles: number;
}

export const defaultLimits: ReadLimits = {
  depth: 100,
  objects: 20_000_000,
  nameByteLength: 65_536,
  textByteLength: 1 << 28,
  rank: 64,
  externalFiles: 10_000,
};

/** Memory of decoded things in units of the budget, measured on V8 (heap per thing over 128, rounded up). */
export const costs = {
  range: 1,
  string: 1,
  number: 1 / 16,
  value: 5,
  node: 8,
  attribute: 6,
  tensor: 8,
  entry: 3,
  graph: 16,
} as const;

const deepest = 900;
/** Units that every file may use: about 400 MB. */
const smallestBudget = 3_000_000;

/** Counts what was decoded against the limits. */
export class Budget {
  readonly limits: ReadLimits;
  readonly #file: string;
  readonly #most: number;
  #spent = 0;

  constructor(limits: Partial<ReadLimits>, fileByteLength: number, file: string) {
    this.limits = { ...defaultLimits, ...limits };
    this.#file = file;
    const byFile = Math.max(smallestBudget, Math.floor(fileByteLength / 8));
    this.#most = limits.objects ?? Math.min(defaultLimits.objects, byFile);
  }

  /** Call it before the thing is made. @throws E_LIMIT_OBJECTS */
  spend(cost: number): void {
    this.#spent += cost;
    if (this.#spent <= this.#most) return;
    throw this.#exceeded('E_LIMIT_OBJECTS', `decodes to more than ${this.#most} objects`, 'objects', this.#most);
  }

  /** @throws E_LIMIT_DEPTH */
  depth(depth: number): void {
    const most = Math.min(this.limits.depth, deepest);
    if (depth <= most) return;
    throw this.#exceeded('E_LIMIT_DEPTH', `has more than ${most} messages inside each other`, 'depth', most);
  }

  /** @throws E_LIMIT_ELEMENTS */
  rank(rank: number): void {
    if (rank <= this.limits.rank) return;
    throw this.#exceeded('E_LIMIT_ELEMENTS', `has a tensor of rank ${rank} or more`, 'rank', this.limits.rank);
  }

  /** @throws E_LIMIT_OBJECTS */
  externalFiles(count: number): void {
    const most = this.limits.externalFiles;
    if (count <= most) return;
    throw this.#exceeded('E_LIMIT_OBJECTS', `names more than ${most} files of external data`, 'externalFiles', most);
  }

  #exceeded(code: ErrorCode, what: string, option: keyof ReadLimits, limit: number): OptimumError {
    return new OptimumError(code, `${this.#file} ${what}, which is the limit of the reader.`, {
      hint: `If you trust the file, raise limits.${option} of readModel.`,
      context: { file: this.#file, option: `limits.${option}`, limit },
    });
  }
}
