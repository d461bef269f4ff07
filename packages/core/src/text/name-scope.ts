import type { Value } from '../ir/index.ts';

/** The names that a graph can read: its own, then those of the graphs around it. */
export class NameScope {
  readonly #own = new Map<string, Value>();
  readonly #outer: NameScope | undefined;

  constructor(outer?: NameScope) {
    this.#outer = outer;
  }

  own(name: string): Value | undefined {
    return this.#own.get(name);
  }

  lookUp(name: string): Value | undefined {
    return this.#own.get(name) ?? this.#outer?.lookUp(name);
  }

  /** False when this graph has the name already. */
  define(name: string, value: Value): boolean {
    if (this.#own.has(name)) return false;
    this.#own.set(name, value);
    return true;
  }

  /** Every name that can be read here, for "did you mean". */
  names(): string[] {
    return [...this.#own.keys(), ...(this.#outer?.names() ?? [])];
  }
}
