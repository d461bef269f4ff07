import type { Diagnostic } from '../../foundation/index.ts';
import {
  type Dim,
  type Model,
  type ModelFunction,
  type Node,
  type Value,
  type ValueType,
  walkNodes,
} from '../../ir/index.ts';
import { type DimAlgebra, plainAlgebra, SymbolicAlgebra } from './dim-algebra.ts';
import { functionKey } from './function-call.ts';
import { GraphInference } from './graph-inference.ts';
import { isTensorLike, mapShapes, uniteShapes } from './merge-types.ts';
import { Scope } from './scope.ts';
import { withSoundSizes } from './sound-type.ts';
import { SymbolTable } from './symbol-table.ts';

/** Begins names that never leave: an identifier, so that the algebra takes it, and none that an exporter would use. */
const hiddenPrefix = '__unknown_';

/** Findings past this say nothing new. */
const maxDiagnostics = 100;

/** One run over a model: what was found of every value, and what did not fit. */
export class ModelInference {
  readonly emulates: boolean;
  readonly algebra: DimAlgebra;
  readonly functions: ReadonlyMap<string, ModelFunction>;
  readonly irVersion: number | undefined;
  readonly types = new Map<Value, ValueType>();
  readonly values = new Map<Value, readonly Dim[]>();
  readonly diagnostics: Diagnostic[] = [];
  readonly #symbols: SymbolTable;
  #budget: number;

  constructor(model: Model, emulates: boolean) {
    this.emulates = emulates;
    this.algebra = emulates ? plainAlgebra : new SymbolicAlgebra();
    this.irVersion = model.irVersion;
    this.functions = new Map(
      model.functions.map((entry) => [functionKey(entry.domain, entry.name, entry.overload), entry]),
    );
    this.#symbols = new SymbolTable(model.graph, emulates ? 'unk__' : hiddenPrefix);
    this.#budget = budgetOf(model);
    const scope = new Scope(model.opsetImports);
    const main = new GraphInference(this, model.graph, scope, 0);
    main.declare();
    main.run();
    this.remember(scope);
  }

  /** Names what is unknown. */
  materialize(type: ValueType): ValueType {
    return this.#symbols.materialize(type);
  }

  /** Without names that only helped on the way, and without impossible sizes. */
  #published(type: ValueType): ValueType {
    const sound = withSoundSizes(type);
    return this.emulates ? sound : mapShapes(sound, (shape) => shape?.map((dim) => this.#publishedDim(dim)));
  }

  #publishedDim(dim: Dim): Dim {
    return this.#symbols.isOurs(dim) ? null : dim;
  }

  /** False when functions that call functions have made the model larger than any honest one. */
  spend(): boolean {
    if (this.#budget > 0) {
      if (--this.#budget === 0) this.report('inference-stopped', 'its functions expand to too many nodes');
    }
    return this.#budget > 0;
  }

  /** Keeps what a scope knows. Of a function that is called more than once, what holds for every call. */
  remember(scope: Scope): void {
    for (const [value, type] of scope.types) {
      const before = this.types.get(value);
      const published = this.#published(type);
      const common = before ? commonType(before, published) : published;
      if (common) this.types.set(value, common);
    }
    if (scope.calls.length > 0) return;
    for (const [value, values] of scope.values)
      this.values.set(
        value,
        values.map((dim) => this.#publishedDim(dim)),
      );
  }

  report(rule: string, message: string, node?: Node): void {
    if (this.diagnostics.length >= maxDiagnostics) return;
    const at = node && `${node.op} "${node.name ?? node.outputs[0]?.name ?? ''}"`;
    this.diagnostics.push({
      severity: 'warning',
      rule,
      message: at ? `${at}: ${message}` : message,
      ...(at && { at }),
    });
  }
}

/** A node of a function may be walked once for each call; honest models call each a few hundred times. */
function budgetOf(model: Model): number {
  let count = 0;
  for (const _ of walkNodes(model)) count++;
  return 200_000 + 8 * count;
}

/** Only tensors can differ between two calls and still have something in common. */
function commonType(a: ValueType, b: ValueType): ValueType | undefined {
  if (!isTensorLike(a) || !isTensorLike(b) || a.kind !== b.kind) return undefined;
  return {
    kind: a.kind,
    elementType: a.elementType === b.elementType ? a.elementType : undefined,
    shape: uniteShapes(a.shape, b.shape),
  };
}
