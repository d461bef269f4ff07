import { core, coreNode, onnxruntime, programFolder } from '../lib/packages.mjs';

const ops = ['MatMulInteger', 'MatMulIntegerToFloat', 'DynamicQuantizeMatMul', 'QLinearMatMul', 'QGemm'];

/**
 * Integer products of a model as they really run, by operator and shape, the ones that take most of the time first.
 *
 * @typedef {{ op: string, batch: number, rows: number, depth: number, columns: number, nodes: number, microseconds: number, operations: number, gops: number }} ProductShape
 * @returns {Promise<readonly ProductShape[]>}
 */
export async function integerProducts(path, { sequence, seed, repetitions }) {
  const loaded = coreNode.loadModelSync(path);
  const sizes = new Map([
    ['sequence', sequence],
    ['batch', 1],
  ]);
  const feeds = core.makeInputs(loaded.model, { seed, variant: 0, sizes });
  loaded.close();
  const session = await onnxruntime.createSession({ path }, { threads: 1, profile: true, from: programFolder });
  try {
    const times = await session.profile(feeds, repetitions);
    return grouped(times.filter(({ op }) => ops.includes(op)));
  } finally {
    await session.close();
  }
}

function grouped(times) {
  const groups = new Map();
  for (const time of times) {
    const shape = shapeOf(time);
    const key = JSON.stringify(shape);
    groups.set(key, { shape, all: [...(groups.get(key)?.all ?? []), time.shortestUs] });
  }
  return [...groups.values()]
    .map(({ shape, all }) => {
      const microseconds = all.reduce((sum, one) => sum + one, 0) / all.length;
      const operations = 2 * shape.batch * shape.rows * shape.depth * shape.columns;
      return { ...shape, nodes: all.length, microseconds, operations, gops: operations / microseconds / 1e3 };
    })
    .sort((a, b) => b.nodes * b.microseconds - a.nodes * a.microseconds);
}

/** Weights are packed when the model is loaded and tell no shape: columns come from the output. */
function shapeOf({ op, inputs: [activation], outputs: [output] }) {
  const [rows, columns] = output.slice(-2);
  const batch = output.slice(0, -2).reduce((product, dim) => product * dim, 1);
  return { op, batch, rows, depth: activation.at(-1), columns };
}
