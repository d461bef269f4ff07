import type { ModelSource, Runtime, SessionOptions, TensorData } from '../backend/index.ts';
import { addNode, type Model, tensorType, type Value } from '../ir/index.ts';

/** Where and how the model runs once. */
export interface ShapeRun {
  readonly runtime: Runtime;
  readonly feeds: Readonly<Record<string, TensorData>>;
  readonly sessionOptions: SessionOptions;
  /** The model with its new outputs, as a session takes it. */
  readonly sourceOf: (model: Model) => ModelSource;
}

/**
 * The shapes that values of the main graph have when the model runs on these inputs. Only shapes leave the runtime. The
 * model gets an output for each value, so it is of no other use afterwards.
 */
export async function observeShapes(
  model: Model,
  values: readonly Value[],
  { runtime, feeds, sessionOptions, sourceOf }: ShapeRun,
): Promise<Map<Value, readonly number[]>> {
  const wanted = [...new Set(values)];
  const names = wanted.map((value, ordinal) => addShapeOutput(model, value, `optimum.shape.${ordinal}`));
  // Fusing would cost more time than it saves in one run.
  const session = await runtime.createSession(sourceOf(model), { ...sessionOptions, optimization: 'basic' });
  try {
    const outputs = await session.run(feeds, names);
    return new Map(wanted.map((value, ordinal) => [value, shapeOf(outputs[names[ordinal] as string])]));
  } finally {
    await session.close();
  }
}

function addShapeOutput(model: Model, value: Value, name: string): string {
  const shape = addNode(model.graph, 'Shape', { inputs: [value] }).outputs[0] as Value;
  shape.name = name;
  shape.type = tensorType('int64');
  model.graph.addOutput(shape);
  return name;
}

const shapeOf = (tensor: TensorData | undefined): number[] =>
  Array.from(new BigInt64Array(new Uint8Array(tensor?.bytes ?? []).buffer), Number);
