/**
 * A sum of products of symbols: the monomial (its symbols sorted and joined by `*`, `''` for the constant) to its
 * coefficient. Zero coefficients are never kept.
 */
export type Polynomial = ReadonlyMap<string, number>;

/** Past these bounds a dimension is simply not known: nobody reads it, and hostile models could let it grow. */
const maxTerms = 8;
const maxDegree = 6;

const identifier = /^[A-Za-z_][A-Za-z0-9_.]*$/;
const integer = /^\d{1,15}$/;

export const constant = (value: number): Polynomial => new Map(value === 0 ? [] : [['', value]]);

/**
 * Reads `past_sequence + sequence`, `2*batch`, `total - past`. `undefined` for every other spelling: such a name is
 * opaque, and nothing can be computed with it. Spaces around + and - are required, as exporters write them, so that a
 * name like `batch-size` is not taken for a difference.
 */
export function parsePolynomial(text: string): Polynomial | undefined {
  const parts = text.split(/ ([+-]) /);
  if (parts.length > 2 * maxTerms) return undefined;
  const terms = new Map<string, number>();
  for (let index = 0; index < parts.length; index += 2) {
    const term = parseTerm(parts[index] as string);
    if (!term) return undefined;
    const sign = parts[index - 1] === '-' ? -1 : 1;
    terms.set(term.symbols, (terms.get(term.symbols) ?? 0) + sign * term.coefficient);
  }
  return bounded(terms);
}

function parseTerm(text: string): { symbols: string; coefficient: number } | undefined {
  const isNegative = text.startsWith('-');
  const symbols: string[] = [];
  let coefficient = isNegative ? -1 : 1;
  for (const factor of text.slice(isNegative ? 1 : 0).split('*')) {
    if (integer.test(factor)) coefficient *= Number(factor);
    else if (identifier.test(factor)) symbols.push(factor);
    else return undefined;
  }
  return { symbols: symbols.sort().join('*'), coefficient };
}

/** The one spelling of a sum: monomials in alphabetical order, the constant last. */
export function printPolynomial(terms: Polynomial): string {
  const sorted = [...terms].sort(([a], [b]) => (a === '' ? 1 : b === '' ? -1 : a < b ? -1 : 1));
  // A leading minus reads badly and does not parse back in every tool: begin with a positive term if there is one.
  const first = sorted.findIndex(([, coefficient]) => coefficient > 0);
  if (first > 0) sorted.unshift(...sorted.splice(first, 1));
  return sorted
    .map(([symbols, coefficient], index) => {
      const size = Math.abs(coefficient);
      const body = symbols === '' ? `${size}` : size === 1 ? symbols : `${size}*${symbols}`;
      if (index === 0) return coefficient < 0 ? `-${body}` : body;
      return `${coefficient < 0 ? '-' : '+'} ${body}`;
    })
    .join(' ');
}

export function addPolynomials(a: Polynomial, b: Polynomial, sign: 1 | -1 = 1): Polynomial | undefined {
  const terms = new Map(a);
  for (const [symbols, coefficient] of b) terms.set(symbols, (terms.get(symbols) ?? 0) + sign * coefficient);
  return bounded(terms);
}

export function multiplyPolynomials(a: Polynomial, b: Polynomial): Polynomial | undefined {
  const terms = new Map<string, number>();
  for (const [left, x] of a) {
    for (const [right, y] of b) {
      const symbols = [...split(left), ...split(right)].sort();
      if (symbols.length > maxDegree) return undefined;
      const key = symbols.join('*');
      terms.set(key, (terms.get(key) ?? 0) + x * y);
    }
  }
  return bounded(terms);
}

/** Exact quotient by one monomial (`6*batch`), `undefined` where it does not divide. */
export function dividePolynomial(a: Polynomial, b: Polynomial): Polynomial | undefined {
  const [divisor, ...others] = b;
  if (!divisor || others.length > 0) return undefined;
  const terms = new Map<string, number>();
  for (const [symbols, coefficient] of a) {
    const rest = split(symbols);
    for (const symbol of split(divisor[0])) {
      const index = rest.indexOf(symbol);
      if (index < 0) return undefined;
      rest.splice(index, 1);
    }
    if (coefficient % divisor[1] !== 0) return undefined;
    terms.set(rest.join('*'), coefficient / divisor[1]);
  }
  return bounded(terms);
}

const split = (symbols: string): string[] => (symbols === '' ? [] : symbols.split('*'));

function bounded(terms: Map<string, number>): Polynomial | undefined {
  for (const [symbols, coefficient] of terms) {
    if (!Number.isSafeInteger(coefficient)) return undefined;
    if (coefficient === 0) terms.delete(symbols);
  }
  return terms.size > maxTerms ? undefined : terms;
}
