import type { Attribute, Dim, Graph, Node, Tensor, Value, ValueType } from '../../ir/index.ts';
import { storedTensor } from '../constants.ts';
import { Contradiction } from './contradiction.ts';
import type { DimAlgebra } from './dim-algebra.ts';
import { callFunction, functionOf } from './function-call.ts';
import { mergeTypes } from './merge-types.ts';
import type { ModelInference } from './model-inference.ts';
import { OperatorContext, type Surroundings } from './operator-context.ts';
import type { OutputTypes } from './rule.ts';
import { isStandard, ruleOf } from './rule-tables.ts';
import type { Scope } from './scope.ts';
import { soundType } from './sound-type.ts';
import { numbersOf } from './tensor-numbers.ts';
import { evaluate } from './values/evaluate.ts';

/** Graphs inside graphs past this are not looked into; the reader allows fewer. */
const maxDepth = 64;

/** Walks the nodes of one graph (or of a function's body) in their order and asks the rules of their operators. */
export class GraphInference implements Surroundings {
  readonly model: ModelInference;
  readonly graph: Graph;
  readonly scope: Scope;
  readonly #depth: number;

  constructor(model: ModelInference, graph: Graph, scope: Scope, depth: number) {
    this.model = model;
    this.graph = graph;
    this.scope = scope;
    this.#depth = depth;
  }

  get emulates(): boolean {
    return this.model.emulates;
  }

  get algebra(): DimAlgebra {
    return this.model.algebra;
  }

  /** Takes what the graph declares for granted, except inside functions, which are inferred anew for every call. */
  declare(): void {
    const { types } = this.scope;
    for (const value of this.graph.initializers) if (value.type && this.#isTyped(value)) types.set(value, value.type);
    for (const node of this.graph.nodes())
      for (const value of node.outputs) if (value?.type) types.set(value, value.type);
    for (const value of this.graph.inputs) {
      if (value.type && !types.has(value)) types.set(value, this.emulates ? value.type : this.materialize(value.type));
    }
  }

  run(): void {
    for (const node of this.graph.nodes()) {
      if (!this.model.spend()) return;
      this.#infer(node);
      for (const graph of node.subgraphs) this.#lookInto(graph);
    }
  }

  /** Subgraphs of operators that no rule knows, or whose rule gave up: what they say of themselves. */
  #lookInto(graph: Graph): void {
    if (this.scope.graphs.has(graph) || this.#depth >= maxDepth) return;
    const inner = this.#enter(graph);
    if (!this.emulates) inner.run();
  }

  #enter(graph: Graph): GraphInference {
    this.scope.graphs.add(graph);
    const inner = new GraphInference(this.model, graph, this.scope, this.#depth + 1);
    inner.declare();
    return inner;
  }

  materialize(type: ValueType): ValueType {
    return this.model.materialize(type);
  }

  typeOf(value: Value): ValueType | undefined {
    return this.scope.types.get(value);
  }

  isPresent(value: Value): boolean {
    return !this.scope.absent.has(value);
  }

  attributeOf(node: Node, name: string): Attribute | undefined {
    const attribute = node.attributes.get(name);
    return attribute?.type === 'ref' ? this.scope.attributes.get(attribute.parameter) : attribute;
  }

  /** Python sees no data of the graphs around. */
  tensorOf(value: Value): Tensor | undefined {
    const lent = this.scope.tensors.get(value);
    if (lent || (this.emulates && !this.#isOwn(value))) return lent;
    const constant = value.producer?.is('Constant') ? this.attributeOf(value.producer, 'value') : undefined;
    return constant?.type === 'tensor' ? constant.value : storedTensor(value);
  }

  valuesOf(value: Value): readonly Dim[] | undefined {
    if (this.emulates && !this.#isOwn(value)) return undefined;
    const known = this.scope.values.get(value);
    if (known) return known;
    const tensor = this.tensorOf(value);
    const numbers = tensor ? numbersOf(tensor) : this.#constantNumbers(value);
    if (numbers) this.scope.values.set(value, numbers);
    return numbers;
  }

  fillOf(node: Node): number | undefined {
    const attribute = this.attributeOf(node, 'value');
    if (!attribute) return 0;
    return attribute.type === 'tensor' ? numbersOf(attribute.value)?.[0] : undefined;
  }

  /** @source onnx/shape_inference/implementation.cc, GraphInferencerImpl::doInferencing */
  inferGraph(graph: Graph, inputs: readonly (ValueType | undefined)[]): (ValueType | undefined)[] {
    if (this.#depth >= maxDepth) throw new Contradiction(`graphs are nested more than ${maxDepth} deep`);
    if (graph.inputs.length !== inputs.length) {
      throw new Contradiction(`the subgraph has ${graph.inputs.length} inputs, but gets ${inputs.length}`);
    }
    const inner = this.#enter(graph);
    graph.inputs.forEach((value, index) => inner.#receive(value, inputs[index]));
    inner.run();
    return graph.outputs.map((value) => this.scope.types.get(value));
  }

  /** Walks the body of a function in a scope of its own. */
  walkBody(body: Graph, scope: Scope): void {
    new GraphInference(this.model, body, scope, 0).run();
    this.model.remember(scope);
  }

  #receive(value: Value, given: ValueType | undefined): void {
    if (!given) return;
    const merged = value.type ? mergeTypes(value.type, given) : given;
    this.scope.types.set(value, this.materialize(merged));
  }

  #infer(node: Node): void {
    const version = this.scope.opset(node.domain);
    if (version === undefined) {
      this.model.report('opset-missing', 'no opset of its domain is imported', node);
      return;
    }
    const op = new OperatorContext(node, version, this);
    try {
      const outputs = this.#outputsOf(op);
      if (!outputs) return;
      node.outputs.forEach((value, index) => value && this.#update(node, value, outputs[index]));
      if (!this.emulates) this.#propagate(op);
    } catch (error) {
      if (error instanceof Contradiction) this.model.report('operator-refuses-inputs', error.message, node);
      else this.model.report('inference-failed', (error as Error).message, node);
    }
  }

  /** Functions of the model stand before what we know of a domain that is not ONNX's own. */
  #outputsOf(op: OperatorContext): OutputTypes | undefined {
    const rule = ruleOf(op.node, op.version, this.emulates);
    if (rule && isStandard(op.node)) return rule(op);
    const called = functionOf(this.model, op.node);
    return called ? callFunction(this, op, called) : rule?.(op);
  }

  #update(node: Node, value: Value, inferred: ValueType | undefined): void {
    // Python goes on with impossible sizes; they are taken out of the result.
    const sound = soundType(inferred, this.emulates);
    if (!sound) return;
    const { types } = this.scope;
    const before = types.get(value);
    try {
      if (this.emulates) {
        // Python names first and merges then, so that names are used up where a declared one stands.
        const named = this.materialize(sound);
        types.set(value, before ? mergeTypes(before, named) : named);
      } else types.set(value, this.materialize(before ? mergeTypes(before, sound) : sound));
    } catch (error) {
      if (!(error instanceof Contradiction)) throw error;
      this.model.report('declared-type-contradicted', `"${value.name ?? ''}" is ${error.message}`, node);
      // Python leaves the outputs after this one as they are.
      if (this.emulates) throw new Contradiction(error.message);
    }
  }

  #propagate(op: OperatorContext): void {
    const types = op.node.outputs.map((value) => value && this.scope.types.get(value));
    evaluate(op, types).forEach((values, index) => {
      const value = op.node.outputs[index];
      if (value && values) this.scope.values.set(value, values);
    });
  }

  /** Numbers of a Constant that holds no tensor. */
  #constantNumbers(value: Value): readonly number[] | undefined {
    const node = value.producer;
    if (!node?.is('Constant')) return undefined;
    for (const name of ['value_int', 'value_ints', 'value_float', 'value_floats']) {
      const attribute = this.attributeOf(node, name);
      if (attribute?.type === 'int' || attribute?.type === 'float') return [Number(attribute.value)];
      if (attribute?.type === 'ints' || attribute?.type === 'floats') return attribute.value.map(Number);
    }
    return undefined;
  }

  #isOwn(value: Value): boolean {
    const { origin } = value;
    if (origin.kind === 'output') return origin.node.graph === this.graph;
    return origin.kind !== 'detached' && origin.graph === this.graph;
  }

  /** Before IR 4 the type of a weight was that of the input of the same name, and a weight without had none. */
  #isTyped(value: Value): boolean {
    return !this.emulates || this.#depth > 0 || (this.model.irVersion ?? 0) >= 4 || value.origin.kind === 'input';
  }
}
