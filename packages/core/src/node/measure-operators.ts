import type { ModelSource, Runtime, SessionOptions, TensorData } from '../backend/index.ts';
import { timeVariants, type Variant, type VariantTime } from '../evaluate/index.ts';
import type { Model, Node, Value } from '../ir/index.ts';
import { serializeModel } from '../onnx/index.ts';
import { nodeIds } from '../plan/index.ts';
import type { OperatorCost } from '../quantize/index.ts';
import { slimSource } from './calibrate-slim.ts';
import { activationBehind, type Configuration, configurationOf } from './measure-operators-configuration.ts';
import {
  activationAlone,
  dequantization,
  dynamicOperator,
  floatOperator,
  idle,
  quantization,
  staticOperator,
} from './measure-operators-forms.ts';
import { observeShapes } from './measure-operators-shapes.ts';

export interface MeasureOperatorsOptions {
  readonly runtime: Runtime;
  /** One sample: the operators are measured at the shapes that it gives them. */
  readonly feeds: Readonly<Record<string, TensorData>>;
  /** File that the model was read from; its weights are then not copied. */
  readonly path?: string | undefined;
  /** Element type of integer weights. @defaultValue 'int8' */
  readonly weightType?: 'int8' | 'uint8' | undefined;
  /** Time that measuring may take, loading not counted. @defaultValue 3000 */
  readonly budgetMs?: number | undefined;
  /** Threads, session entries, limits and folder of the runtime, as the model will be run. */
  readonly sessionOptions?: Omit<SessionOptions, 'optimization' | 'optimizedModelPath' | 'signal'> | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * What Conv, MatMul and Gemm with constant weights cost on this CPU as float, static and dynamic operators, at the shapes
 * that occur in a run. Equal configurations are measured once; operators in subgraphs, and those too small to matter,
 * are left out. The model gets outputs for its shapes, so it is of no other use afterwards.
 * @param candidates ids of nodes: see `nodeIds`
 * @throws what sessions throw
 */
export async function measureOperators(
  model: Model,
  candidates: readonly string[],
  options: MeasureOperatorsOptions,
): Promise<OperatorCost[]> {
  const { runtime, feeds, path, weightType = 'int8', budgetMs = 3000, signal } = options;
  const sessionOptions = { ...options.sessionOptions, ...(signal && { signal }) };
  const sourceOf = (tapped: Model): ModelSource =>
    path === undefined ? { bytes: serializeModel(tapped) } : slimSource(tapped, path);
  const nodes = candidateNodes(model, candidates);
  // Before the shapes are observed, which makes one reader more of each value.
  const activations = new Map([...nodes.values()].map((node) => [node, activationBehind(node)]));
  const values = [...nodes.values()].flatMap(({ inputs, outputs }) => [inputs[0], outputs[0]].filter(isValue));
  if (values.length === 0) return [];
  const shapes = await observeShapes(model, values, { runtime, feeds, sessionOptions, sourceOf });
  const subjects = [...nodes].flatMap(([id, node]) => {
    const configuration = configurationOf(node, (value) => shapes.get(value), activations.get(node));
    return configuration ? [{ id, forms: formsOf(configuration, weightType) }] : [];
  });
  const variants = subjects.flatMap(({ forms }) =>
    Object.values(forms).flatMap((form) => (form ? withIdle(form) : [])),
  );
  const times = await timeVariants(variants, { runtime, sessionOptions, budgetMs, signal });
  return subjects.map(({ id, forms }) => costOf(id, forms, (form) => netUs(form, times)));
}

const isValue = (value: Value | undefined): value is Value => value !== undefined;

/** Conv, MatMul and Gemm of the main graph among the candidates. */
function candidateNodes(model: Model, candidates: readonly string[]): Map<string, Node> {
  const wanted = new Set(candidates);
  const isMeasurable = (node: Node): boolean =>
    node.graph === model.graph && ['Conv', 'MatMul', 'Gemm'].includes(node.op) && node.domain === '';
  return new Map(
    [...nodeIds(model)].flatMap(([node, id]) => (wanted.has(id) && isMeasurable(node) ? [[id, node]] : [])),
  );
}

/** Everything that has to be timed for one operator. */
interface Forms {
  readonly float: Variant;
  readonly static: Variant;
  readonly dynamic: Variant | undefined;
  readonly quantize: Variant;
  readonly dequantize: Variant;
  /** An activation that only the float kernel takes along. */
  readonly activation: Variant | undefined;
}

function formsOf(configuration: Configuration, weightType: 'int8' | 'uint8'): Forms {
  const { input, output, activation } = configuration;
  return {
    float: floatOperator(configuration),
    static: staticOperator(configuration, weightType),
    dynamic: dynamicOperator(configuration, weightType),
    quantize: quantization(input),
    dequantize: dequantization(output),
    activation: activation && activation !== 'Relu' ? activationAlone(activation, output) : undefined,
  };
}

/** A variant and what is taken off its time. */
const withIdle = (variant: Variant): Variant[] => [variant, idle(variant.input)];

/** No operator takes less: the clock and the difference of two times are no finer. */
const leastUs = 0.1;

/** Time of a variant without that of making its input and of the run around it. */
function netUs(variant: Variant, times: ReadonlyMap<string, VariantTime>): number {
  const grossUs = (key: string): number => times.get(key)?.shortestUs ?? 0;
  return Math.max(leastUs, grossUs(variant.key) - grossUs(idle(variant.input).key));
}

function costOf(id: string, forms: Forms, net: (variant: Variant) => number): OperatorCost {
  const activationUs = forms.activation ? net(forms.activation) : 0;
  return {
    id,
    floatUs: net(forms.float),
    staticUs: net(forms.static) + activationUs,
    ...(forms.dynamic && { dynamicUs: net(forms.dynamic) }),
    quantizeUs: net(forms.quantize),
    dequantizeUs: net(forms.dequantize),
  };
}
