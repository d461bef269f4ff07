import {
  addNode,
  Graph,
  Model,
  type Runtime,
  type SessionOptions,
  serializeModel,
  type TensorData,
  tensorOf,
  tensorType,
  Value,
} from '@optimum/core';

/** What one smallest run shows. */
export interface Behaviour {
  readonly u8s8: 'exact' | 'saturates';
  /** What a run costs, whatever is in the model: the shortest of many. */
  readonly runUs: number;
}

const exactSum = 255 * 127 * 2;

/**
 * [255, 255] · [127, 127]: 64770, or 32767 where pairs of products are added in 16 bits.
 * @source research: AVX2 lab report, section 8
 */
export async function probeBehaviour(runtime: Runtime, options: SessionOptions): Promise<Behaviour> {
  const session = await runtime.createSession({ bytes: serializeModel(pairModel()) }, options);
  const feeds: Record<string, TensorData> = {
    x: { elementType: 'uint8', dims: [1, 2], bytes: Uint8Array.of(255, 255) },
  };
  try {
    const { sum } = await session.run(feeds);
    const value = new Int32Array(Uint8Array.from(sum?.bytes ?? []).buffer)[0];
    const runUs = 1000 * Math.min(...(await session.time(feeds, 200)));
    return { u8s8: value === exactSum ? 'exact' : 'saturates', runUs };
  } finally {
    await session.close();
  }
}

function pairModel(): Model {
  const graph = new Graph('pair');
  const x = graph.addInput(new Value('x', tensorType('uint8', [1, 2])));
  const weights = graph.addInitializer(tensorOf('int8', [2, 1], Int8Array.of(127, 127)));
  const sum = addNode(graph, 'MatMulInteger', { inputs: [x, weights] }).outputs[0] as Value;
  sum.name = 'sum';
  sum.type = tensorType('int32', [1, 1]);
  graph.addOutput(sum);
  const model = new Model(graph);
  model.irVersion = 8;
  model.requireOpset('', 17);
  return model;
}
