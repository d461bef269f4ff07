import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { constantOf } from '../analysis/index.ts';
import type { CostTable, Runtime, SessionOptions, TensorData } from '../backend/index.ts';
import { type PredictedSpeed, predictSpeed } from '../evaluate/index.ts';
import type { Model, Node } from '../ir/index.ts';
import { requiredInputs } from '../pipeline/index.ts';
import type { Plan } from '../plan/index.ts';
import { slimSource } from './calibrate-slim.ts';
import { loadModelSync } from './load-model.ts';
import { observeShapes } from './measure-operators-shapes.ts';

export interface PredictFileOptions {
  readonly runtime: Runtime;
  readonly table: CostTable;
  /** Which products become integers. Only dynamic ones are predicted. */
  readonly plan: Plan;
  /** Inputs of the run: their sizes are what counts. */
  readonly feeds: Readonly<Record<string, TensorData>>;
  /** Session entries with which the quantized model is run, where they are others. */
  readonly plannedConfig?: SessionOptions['config'] | undefined;
  readonly sessionOptions?: Omit<SessionOptions, 'optimization' | 'optimizedModelPath'> | undefined;
}

/**
 * How fast a file is, and would be with a plan, by a table of measured kernels: predicted over the graph into which the
 * runtime fuses the file, at the shapes that one run of it shows. No time is measured.
 * @throws what sessions throw
 */
export async function predictFile(path: string, options: PredictFileOptions): Promise<PredictedSpeed> {
  const { runtime, sessionOptions = {}, plannedConfig = {}, table, plan, feeds } = options;
  const scratch = mkdtempSync(join(tmpdir(), 'optimum-predict-'));
  const optimizedModelPath = join(scratch, 'optimized.onnx');
  try {
    const session = await runtime.createSession({ path }, { ...sessionOptions, optimizedModelPath });
    await session.close();
    const shapes = await shapesByName(optimizedModelPath, { runtime, feeds, sessionOptions });
    const loaded = loadModelSync(optimizedModelPath);
    try {
      return predictSpeed(loaded.model, {
        table,
        shapeOf: ({ name, shape }) =>
          (name === undefined ? undefined : shapes.get(name)) ??
          (shape?.every((dim) => typeof dim === 'number') ? (shape as readonly number[]) : undefined),
        isQuantized: quantizedBy(plan),
        splitsSkipLayerNorm:
          plannedConfig[denied]?.includes('SkipLayerNormFusion') === true ||
          (plan.valueInfo === 'drop' && hasDynamicInput(loaded.model)),
      });
    } finally {
      loaded.close();
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Session entry that names fusions to leave out. */
const denied = 'optimization.disable_specified_optimizers';

/** With all input sizes fixed the runtime infers every shape by itself, whatever the file says. */
const hasDynamicInput = (model: Model): boolean =>
  requiredInputs(model).some(({ shape }) => shape?.some((dim) => typeof dim !== 'number') ?? true);

type ShapeRunOptions = Pick<PredictFileOptions, 'runtime' | 'feeds'> & { readonly sessionOptions: SessionOptions };

/** Every value has a name in a graph that the runtime has written. */
async function shapesByName(path: string, options: ShapeRunOptions): Promise<Map<string, readonly number[]>> {
  const loaded = loadModelSync(path);
  try {
    const { model } = loaded;
    const values = [...model.graph.nodes()].flatMap(({ outputs }) => outputs.filter((value) => value !== undefined));
    const inputs = requiredInputs(model);
    const sourceOf = (tapped: Model) => slimSource(tapped, path);
    const shapes = await observeShapes(model, [...inputs, ...values], { ...options, sourceOf });
    return new Map([...shapes].flatMap(([{ name }, dims]) => (name === undefined ? [] : [[name, dims] as const])));
  } finally {
    loaded.close();
  }
}

/**
 * Whether the plan quantizes a product of the fused graph. Most keep their names; what is fused is known by the dims of
 * its weight.
 */
function quantizedBy({ entries }: Plan): (node: Node) => boolean {
  const products = entries.filter(({ weight }) => weight?.length === 2);
  const decided = new Map(products.map(({ id, decision }) => [id, decision.action === 'matmul']));
  const bySize = new Map(products.map(({ weight, decision }) => [sizeOf(weight), decision.action === 'matmul']));
  return (node) => {
    const weight = node.inputs[1] && constantOf(node.inputs[1])?.dims;
    if (weight?.length !== 2) return false;
    if (node.op === 'Attention') return bySize.get(sizeOf([weight[0] as number, (weight[1] as number) / 3])) ?? false;
    return decided.get(node.name ?? '') ?? bySize.get(sizeOf(weight)) ?? false;
  };
}

const sizeOf = (dims: readonly number[] = []): string => [...dims].sort((a, b) => a - b).join('×');
