import type { Dim } from '../../ir/index.ts';
import {
  addPolynomials,
  constant,
  dividePolynomial,
  multiplyPolynomials,
  type Polynomial,
  parsePolynomial,
  printPolynomial,
} from './polynomial.ts';

/** Arithmetic of dimensions; `null` in, or a result that cannot be written down, gives `null`. */
export interface DimAlgebra {
  add(a: Dim, b: Dim): Dim;
  subtract(a: Dim, b: Dim): Dim;
  multiply(a: Dim, b: Dim): Dim;
  /** Quotient of sizes of which the second divides the first. */
  divide(a: Dim, b: Dim): Dim;
  /** How many of `size` elements lie in [start, end), as Slice counts them. */
  clip(size: Dim, start: Dim, end: Dim): Dim;
  /** What a clipped length is wherever the slice lies inside; the dimension itself for all others. */
  unclipped(dim: Dim): Dim;
}

/**
 * What ONNX's own inference computes: numbers with numbers, and neutral elements; every other result is not known.
 * @source onnx/defs/shape_inference.h, operators of TensorShapeProto::Dimension
 */
export const plainAlgebra: DimAlgebra = {
  add: (a, b) => (b === 0 ? a : a === 0 ? b : onNumbers(a, b, (x, y) => x + y)),
  subtract: (a, b) => (b === 0 ? a : onNumbers(a, b, (x, y) => x - y)),
  multiply: (a, b) => (b === 1 ? a : a === 1 ? b : onNumbers(a, b, (x, y) => x * y)),
  divide: (a, b) => (b === 1 ? a : onNumbers(a, b, (x, y) => (y === 0 ? Number.NaN : Math.trunc(x / y)))),
  clip: () => null,
  unclipped: (dim) => dim,
};

/** Longer names are not calculated with: in a hostile model they would grow without bound. */
const maxLength = 200;

/** Sums, products and exact quotients of the model's symbols, in one canonical spelling. */
export class SymbolicAlgebra implements DimAlgebra {
  readonly #parsed = new Map<string, Polynomial | undefined>();
  readonly #unclipped = new Map<string, Dim>();

  add(a: Dim, b: Dim): Dim {
    return this.#combine(a, b, plainAlgebra.add, addPolynomials);
  }

  subtract(a: Dim, b: Dim): Dim {
    if (a !== null && a === b) return 0;
    return this.#combine(a, b, plainAlgebra.subtract, (x, y) => addPolynomials(x, y, -1));
  }

  multiply(a: Dim, b: Dim): Dim {
    if (a === 0 || b === 0) return 0;
    return this.#combine(a, b, plainAlgebra.multiply, multiplyPolynomials);
  }

  divide(a: Dim, b: Dim): Dim {
    if (a !== null && a === b && a !== 0) return 1;
    if (typeof a === 'number' && typeof b === 'number') return b !== 0 && a % b === 0 ? a / b : null;
    return this.#combine(a, b, plainAlgebra.divide, dividePolynomial);
  }

  clip(size: Dim, start: Dim, end: Dim): Dim {
    const length = this.subtract(end, start);
    if (length === null || size === null) return null;
    if (size === end) return length;
    const from = start === 0 ? '' : ` - min(${size}, ${start})`;
    const name = `min(${size}, ${end})${from}`;
    if (name.length > maxLength) return null;
    this.#unclipped.set(name, length);
    return name;
  }

  unclipped(dim: Dim): Dim {
    return typeof dim === 'string' ? (this.#unclipped.get(dim) ?? dim) : dim;
  }

  #combine(
    a: Dim,
    b: Dim,
    plain: (a: Dim, b: Dim) => Dim,
    symbolic: (a: Polynomial, b: Polynomial) => Polynomial | undefined,
  ): Dim {
    const simple = plain(a, b);
    if (simple !== null) return simple;
    const [left, right] = [this.#parse(a), this.#parse(b)];
    const result = left && right && symbolic(left, right);
    const dim = result ? toDim(result) : null;
    return typeof dim === 'string' && dim.length > maxLength ? null : dim;
  }

  #parse(dim: Dim): Polynomial | undefined {
    if (dim === null) return undefined;
    if (typeof dim === 'number') return Number.isSafeInteger(dim) ? constant(dim) : undefined;
    if (dim.length > maxLength) return undefined;
    if (!this.#parsed.has(dim)) this.#parsed.set(dim, parsePolynomial(dim));
    return this.#parsed.get(dim);
  }
}

function toDim(terms: Polynomial): Dim {
  if (terms.size === 0) return 0;
  const number = terms.get('');
  return terms.size === 1 && number !== undefined ? number : printPolynomial(terms);
}

function onNumbers(a: Dim, b: Dim, compute: (a: number, b: number) => number): Dim {
  if (typeof a !== 'number' || typeof b !== 'number') return null;
  const result = compute(a, b);
  return Number.isSafeInteger(result) ? result : null;
}
