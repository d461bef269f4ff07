import { type ErrorCode, OptimumError } from '../foundation/index.ts';
import type { Graph } from '../ir/index.ts';
import { type Budget, costs } from './limits.ts';
import { type EntryRecord, originals } from './originals.ts';
import type { ExternalFiles } from './read-external.ts';
import type { Scope } from './scope.ts';
import type { Range, WireReader } from './wire-reader.ts';

export type ReadGraph = (
  context: ReadContext,
  pieces: readonly Range[],
  graph: Graph,
  outer: Scope | undefined,
  depth: number,
) => Graph;

/** What everything that reads one file shares. */
export class ReadContext {
  readonly reader: WireReader;
  readonly budget: Budget;
  readonly external: ExternalFiles;
  /** Attributes hold graphs: handed over here, so that the two files do not import each other. */
  readonly readGraph: ReadGraph;
  /** Inside a function attributes may refer to its parameters. */
  isInFunction = false;

  constructor(reader: WireReader, budget: Budget, external: ExternalFiles, readGraph: ReadGraph) {
    this.reader = reader;
    this.budget = budget;
    this.external = external;
    this.readGraph = readGraph;
  }

  get file(): string {
    return this.reader.source.name;
  }

  invalid(what: string, hint?: string, context: Readonly<Record<string, unknown>> = {}): OptimumError {
    return this.refused('E_MODEL_INVALID', what, hint, context);
  }

  refused(code: ErrorCode, what: string, hint?: string, context: Readonly<Record<string, unknown>> = {}): OptimumError {
    return new OptimumError(code, `${this.file}: ${what}.`, { hint, context: { file: this.file, ...context } });
  }

  /** The range of a length-delimited field, counted. */
  range(end: number): Range {
    this.budget.spend(costs.range);
    return this.reader.range(end);
  }

  /** One key and value; an entry that comes twice has no meaning. `records` gets how it was encoded. */
  entry(end: number, entries: Map<string, string>, what: string, records?: Map<string, EntryRecord>): void {
    const { reader } = this;
    const range = this.range(end);
    const after = reader.position;
    const last = after;
    let key = '';
    let value = '';
    reader.position = range.offset;
    while (reader.next(last)) {
      if (reader.field === 1) key = reader.name(last);
      else if (reader.field === 2) value = reader.string(last);
      else reader.skip(last);
    }
    this.budget.spend(costs.entry);
    if (entries.has(key)) throw this.invalid(`${what} has the key ${JSON.stringify(key).slice(0, 100)} twice`);
    entries.set(key, value);
    records?.set(key, { value, range });
    reader.position = after;
  }

  /** An entry of metadata, whose encoding is kept. */
  metadata(end: number, entries: Map<string, string>): void {
    const records = (originals.entries.get(entries) ?? new Map()) as Map<string, EntryRecord>;
    if (entries.size === 0) originals.entries.set(entries, records);
    this.entry(end, entries, 'the metadata', records);
  }
}

/** Puts the place in front of what an error says (`file: node Add "x": …`), from the inside out. */
export function within(
  error: unknown,
  file: string,
  place: string,
  context: Readonly<Record<string, unknown>>,
): unknown {
  if (!OptimumError.isInstance(error)) return error;
  const prefix = `${file}: `;
  const rest = error.message.startsWith(prefix) ? error.message.slice(prefix.length) : error.message;
  return new OptimumError(error.code, `${prefix}${place}: ${rest}`, {
    hint: error.hint,
    context: { ...context, ...error.context },
    cause: error.cause,
  });
}
