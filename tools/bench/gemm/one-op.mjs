import { core, onnxruntime, programFolder } from '../lib/packages.mjs';

/**
 * Shortest time in microseconds of the nodes of one operator in a model that is given as text, mean over its nodes. The
 * runtime must not change the graph, so that what is timed is what was asked for.
 */
export async function timeOf(text, op, repetitions) {
  const model = core.parseModel(text);
  const feeds = core.makeInputs(model, { seed: 1, variant: 0 });
  const bytes = core.serializeModel(model);
  const options = { threads: 1, optimization: 'disabled', profile: true, from: programFolder };
  const session = await onnxruntime.createSession({ bytes }, options);
  try {
    const times = (await session.profile(feeds, repetitions)).filter((time) => time.op === op);
    return times.reduce((sum, { shortestUs }) => sum + shortestUs, 0) / times.length;
  } finally {
    await session.close();
  }
}

/** Products of one shape as text: `count` of them, each with made-up weights of its own. */
export const productsText = (shape, count) =>
  modelText(shape, count, {
    activation: 'uint8',
    output: 'int32',
    constants: [],
    node: (index) => `p${index} = MatMulInteger (a, w${index})`,
  });

/** The same product as the operator that the runtime makes of it, with float outputs. */
export function fusedText(shape) {
  const { op, batch, columns } = shape;
  const isDynamic = op === 'DynamicQuantizeMatMul';
  const width = batch > 1 ? '' : `[${columns}]`;
  return modelText(shape, 1, {
    activation: isDynamic ? 'float' : 'uint8',
    output: 'float',
    constants: [
      `float${width} scale = ["elided": "scale"]`,
      `float[${columns}] bias = ["elided": "bias"]`,
      'float one = {0.01}',
      'uint8 middle = {128}',
    ],
    node: (index) =>
      isDynamic
        ? `p${index} = com.microsoft.DynamicQuantizeMatMul (a, w${index}, scale, , bias)`
        : `p${index} = com.microsoft.MatMulIntegerToFloat (a, w${index}, one, scale, middle, , bias)`,
  });
}

/** Only the greatest sums leave the runtime, so that copying outputs does not take the cache. */
function modelText({ batch = 1, rows, depth, columns }, count, { activation, output, constants, node }) {
  const each = (make) => Array.from({ length: count }, (_, index) => make(index));
  const dims = (...matrix) => `[${[...(batch > 1 ? [batch] : []), ...matrix].join(', ')}]`;
  const weights = each((index) => `int8${dims(depth, columns)} w${index}`);
  // Both sides of a batched product are activations: the runtime cannot pack them beforehand.
  const inputs = [`${activation}${dims(rows, depth)} a`, ...(batch > 1 ? weights : [])];
  const initializers = batch > 1 ? [] : weights.map((weight, index) => `${weight} = ["elided": "${index}"]`);
  const outputs = each((index) => `${output} y${index}`);
  const nodes = each((index) => `${node(index)}\n  y${index} = ReduceMax <keepdims = 0> (p${index})`);
  return `<ir_version: 8, opset_import: ["" : 17, "com.microsoft" : 1]>
products (${inputs.join(', ')}) => (${outputs.join(', ')})
<${[...initializers, ...constants].join(',\n')}>
{
  ${nodes.join('\n  ')}
}`;
}
