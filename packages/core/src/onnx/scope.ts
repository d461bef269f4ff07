import { OptimumError, quote } from '../foundation/index.ts';
import { Value } from '../ir/index.ts';

/** The names that a graph can read: its own, then those of the graphs around it. */
export class Scope {
  readonly #values = new Map<string, Value>();
  readonly #outer: Scope | undefined;
  readonly #file: string;

  constructor(file: string, outer?: Scope) {
    this.#file = file;
    this.#outer = outer;
  }

  lookUp(name: string): Value | undefined {
    return this.#values.get(name) ?? this.#outer?.lookUp(name);
  }

  own(name: string): Value | undefined {
    return this.#values.get(name);
  }

  /** @throws E_MODEL_INVALID for a name that this graph has already */
  define(name: string, value: Value): void {
    if (this.#values.has(name)) throw this.invalid(`the name ${quote(name)} is given to two values`);
    this.#values.set(name, value);
  }

  declare(name: string): Value {
    const value = new Value(name);
    this.define(name, value);
    return value;
  }

  invalid(what: string): OptimumError {
    return new OptimumError('E_MODEL_INVALID', `${this.#file}: ${what}.`, {
      hint: 'Every value of a model is made once; export the model again.',
      context: { file: this.#file },
    });
  }
}
