import { OptimumError, printable, quote } from '@optimum/core';

interface Bounds {
  readonly least?: number;
  readonly most?: number;
}

/**
 * Reads the fields of a preprocessor's configuration. `null` counts as absent. Whatever is wrong is collected and thrown
 * together by `finish`, with every key that nobody asked for: an option without effect would be ignored in silence.
 */
export class ConfigReader {
  readonly name: string;
  readonly #fields: Readonly<Record<string, unknown>>;
  readonly #asked = new Set<string>();
  readonly #problems: string[] = [];
  readonly #unsupported: string[] = [];

  /** @throws E_CONFIG_SCHEMA when `config` is no JSON object */
  constructor(config: unknown, name: string) {
    if (typeof config !== 'object' || config === null || Array.isArray(config))
      throw new OptimumError('E_CONFIG_SCHEMA', `${printable(name)} must be a JSON object, but is ${kindOf(config)}.`);
    this.name = printable(name);
    this.#fields = config as Record<string, unknown>;
  }

  /** The value of the first of these keys that is set, unchecked. */
  value(...keys: readonly string[]): unknown {
    for (const key of keys) this.#asked.add(key);
    return keys.map((key) => this.#fields[key]).find((value) => value !== undefined && value !== null);
  }

  boolean(key: string): boolean | undefined {
    const value = this.value(key);
    if (typeof value === 'boolean' || value === undefined) return value;
    return this.#wrong(key, 'true or false', value);
  }

  /** A finite number within the bounds, both inclusive. */
  number(key: string, bounds: Bounds = {}): number | undefined {
    return this.#number(key, this.value(key), bounds, false);
  }

  integer(key: string, bounds: Bounds = {}): number | undefined {
    return this.#number(key, this.value(key), bounds, true);
  }

  /** A value inside of another, as `size.height`: checked, but not looked up. */
  integerOf(key: string, value: unknown, bounds: Bounds = {}): number | undefined {
    return value === undefined || value === null ? undefined : this.#number(key, value, bounds, true);
  }

  /** One number, or a list of them. */
  numbers(keys: readonly string[], isAllowed: (value: number) => boolean, expected: string) {
    const value = this.value(...keys);
    if (value === undefined) return undefined;
    const list: readonly unknown[] = Array.isArray(value) ? value : [value];
    const isRight = list.length > 0 && list.every((item) => isFiniteNumber(item) && isAllowed(item));
    if (!isRight) return this.#wrong(keys[0] as string, expected, value);
    return Array.isArray(value) ? (list as readonly number[]) : (value as number);
  }

  /** Marks keys as known that change nothing for one sample, whatever their value. */
  skip(keys: Iterable<string>): void {
    for (const key of keys) this.#asked.add(key);
  }

  problem(text: string): void {
    this.#problems.push(text);
  }

  unsupported(key: string, value: unknown): void {
    this.#unsupported.push(`${quote(key)}: ${show(value)}`);
  }

  /**
   * @throws E_CONFIG_SCHEMA for wrong values, E_UNSUPPORTED_FEATURE for options that ask for something and are not known.
   */
  finish(): void {
    if (this.#problems.length > 0)
      throw new OptimumError('E_CONFIG_SCHEMA', `${this.name} is not valid: ${this.#problems.join('; ')}.`, {
        context: { file: this.name, problems: this.#problems },
      });
    for (const [key, value] of Object.entries(this.#fields)) {
      // Null and false ask for nothing.
      if (value !== null && value !== false && !this.#asked.has(key)) this.unsupported(key, value);
    }
    if (this.#unsupported.length === 0) return;
    throw new OptimumError('E_UNSUPPORTED_FEATURE', `${this.name} asks for ${this.#unsupported.join(', ')}.`, {
      hint: 'This preprocessing is not supported. Make the inputs elsewhere and give them as tensors (safetensors).',
      context: { file: this.name, options: this.#unsupported },
    });
  }

  #number(key: string, value: unknown, { least, most }: Bounds, isWhole: boolean): number | undefined {
    if (value === undefined) return undefined;
    const fits = isFiniteNumber(value) && (!isWhole || Number.isInteger(value));
    if (fits && value >= (least ?? -Infinity) && value <= (most ?? Infinity)) return value;
    const range = [least === undefined ? '' : ` from ${least}`, most === undefined ? '' : ` to ${most}`].join('');
    return this.#wrong(key, `a ${isWhole ? 'whole ' : ''}number${range}`, value);
  }

  #wrong(key: string, expected: string, value: unknown): undefined {
    this.#problems.push(`${quote(key)} must be ${expected}, but is ${show(value)}`);
    return undefined;
  }
}

const isFiniteNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'a list' : `a ${typeof value}`;
}

/** A value as it may stand in a message, cut when it is long. */
function show(value: unknown): string {
  const text = typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? kindOf(value));
  return printable(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}
