import { core } from '../lib/packages.mjs';
import { GraphBuilder } from './graph-builder.mjs';

const epsilon = 1e-12;
const lowestFloat = -3.4028234663852886e38;
const castToFloat = 1;

/**
 * A BERT encoder as PyTorch's legacy exporter writes it at opset 17: LayerNormalization, Gelu as an Erf chain, MatMul
 * and Add for each linear layer, shapes of the heads computed. Inputs int64 [batch, sequence]; output
 * `last_hidden_state` [batch, sequence, hidden]. Weights are scaled by 1/√inputs, so that activations stay near 1.
 *
 * @param {import('./sizes.mjs').ModelSize} size
 * @param {number} seed
 */
export function bertModel(size, seed) {
  const builder = new GraphBuilder(seed);
  const tokens = core.tensorType('int64', ['batch', 'sequence']);
  const [ids, mask, types] = ['input_ids', 'attention_mask', 'token_type_ids'].map((name) =>
    builder.input(name, tokens),
  );
  let hidden = embeddings(builder, size, ids, types);
  const bias = attentionBias(builder, mask);
  for (let layer = 0; layer < size.layers; layer++) hidden = encoderLayer(builder, size, layer, hidden, bias);
  builder.output(hidden, 'last_hidden_state', core.tensorType('float32', ['batch', 'sequence', size.hidden]));
  const model = new core.Model(builder.graph);
  model.irVersion = 8;
  model.producerName = 'optimum-bench';
  model.opsetImports.push({ domain: '', version: 17 });
  return model;
}

function embeddings(builder, size, ids, types) {
  const path = '/embeddings';
  const table = (name, rows) =>
    builder.weight(`embeddings.${name}.weight`, [rows, size.hidden], {
      deviation: name === 'word_embeddings' ? 1 : 0.3,
    });
  const gather = (name, rows, indices) => builder.add(`${path}/${name}`, 'Gather', [table(name, rows), indices]);
  const length = dimension(builder, path, ids, 1);
  const positions = builder.tensor(path, positionIds(size.positions));
  const slice = [[0], undefined, [1], [1]].map((values) => (values ? builder.integers(path, values) : length));
  const place = builder.add(path, 'Slice', [positions, ...slice]);
  const words = gather('word_embeddings', size.vocabulary, ids);
  const sum = builder.add(path, 'Add', [words, gather('token_type_embeddings', size.tokenTypes, types)]);
  const all = builder.add(path, 'Add', [sum, gather('position_embeddings', size.positions, place)]);
  return layerNorm(builder, size, 'embeddings.LayerNorm', all);
}

const positionIds = (count) =>
  core.int64Tensor(
    [1, count],
    Array.from({ length: count }, (_, index) => index),
  );

/** One dimension of a value as a vector of one element. */
function dimension(builder, path, value, axis) {
  const shape = builder.add(path, 'Shape', [value]);
  const size = builder.add(path, 'Gather', [shape, builder.integers(path, axis)], { axis: core.intAttribute(0) });
  return builder.add(path, 'Unsqueeze', [size, builder.integers(path, [0])]);
}

/** 0 where the mask is 1, the lowest float where it is 0, as [batch, 1, 1, sequence]. */
function attentionBias(builder, mask) {
  const rows = builder.add('', 'Unsqueeze', [mask, builder.integers('', [1])]);
  const wide = builder.add('', 'Unsqueeze', [rows, builder.integers('', [2])]);
  const float = builder.add('', 'Cast', [wide], { to: core.intAttribute(castToFloat) });
  const inverted = builder.add('', 'Sub', [builder.float('', 1), float]);
  return builder.add('', 'Mul', [inverted, builder.float('', lowestFloat)]);
}

function encoderLayer(builder, size, layer, hidden, bias) {
  const module = `encoder.layer.${layer}`;
  const context = attention(builder, size, `${module}.attention`, hidden, bias);
  const mixed = linear(builder, `${module}.attention.output.dense`, context, size.hidden, size.hidden);
  const residual = builder.add(pathOf(`${module}.attention.output`), 'Add', [mixed, hidden]);
  const attended = layerNorm(builder, size, `${module}.attention.output.LayerNorm`, residual);
  const wide = linear(builder, `${module}.intermediate.dense`, attended, size.hidden, size.intermediate);
  const active = gelu(builder, pathOf(`${module}.intermediate.intermediate_act_fn`), wide);
  const narrow = linear(builder, `${module}.output.dense`, active, size.intermediate, size.hidden);
  const sum = builder.add(pathOf(`${module}.output`), 'Add', [narrow, attended]);
  return layerNorm(builder, size, `${module}.output.LayerNorm`, sum);
}

function attention(builder, size, module, hidden, bias) {
  const path = pathOf(`${module}.self`);
  const width = size.hidden / size.heads;
  const heads = (name, perm) => {
    const projected = linear(builder, `${module}.self.${name}`, hidden, size.hidden, size.hidden);
    const split = reshape(builder, path, projected, [size.heads, width]);
    return builder.add(path, 'Transpose', [split], { perm: core.intsAttribute(perm) });
  };
  const query = heads('query', [0, 2, 1, 3]);
  const key = heads('key', [0, 2, 3, 1]);
  const value = heads('value', [0, 2, 1, 3]);
  const product = builder.add(path, 'MatMul', [query, key]);
  const scaled = builder.add(path, 'Div', [product, builder.float(path, Math.sqrt(width))]);
  const masked = builder.add(path, 'Add', [scaled, bias]);
  const weights = builder.add(path, 'Softmax', [masked], { axis: core.intAttribute(-1) });
  const mixed = builder.add(path, 'MatMul', [weights, value]);
  const back = builder.add(path, 'Transpose', [mixed], { perm: core.intsAttribute([0, 2, 1, 3]) });
  return reshape(builder, path, back, [size.hidden]);
}

/** [batch, sequence, …] to [batch, sequence, ...rest]. */
function reshape(builder, path, value, rest) {
  const leading = [0, 1].map((axis) => dimension(builder, path, value, axis));
  const trailing = rest.map((size) => builder.integers(path, [size]));
  const shape = builder.add(path, 'Concat', [...leading, ...trailing], { axis: core.intAttribute(0) });
  return builder.add(path, 'Reshape', [value, shape]);
}

/** x · ½ · (1 + erf(x / √2)), in the order of the exporter. */
function gelu(builder, path, value) {
  const divided = builder.add(path, 'Div', [value, builder.float(path, Math.SQRT2)]);
  const erf = builder.add(path, 'Erf', [divided]);
  const sum = builder.add(path, 'Add', [erf, builder.float(path, 1)]);
  const product = builder.add(path, 'Mul', [value, sum]);
  return builder.add(path, 'Mul', [product, builder.float(path, 0.5)]);
}

function linear(builder, module, value, inputs, outputs) {
  const path = pathOf(module);
  const weight = builder.weight(`onnx::MatMul_${module}`, [inputs, outputs], { deviation: 1 / Math.sqrt(inputs) });
  const bias = builder.weight(`${module}.bias`, [outputs], { deviation: 0.02 });
  return builder.add(path, 'Add', [bias, builder.add(path, 'MatMul', [value, weight])]);
}

function layerNorm(builder, size, module, value) {
  const gain = builder.weight(`${module}.weight`, [size.hidden], { mean: 1, deviation: 0.05 });
  const bias = builder.weight(`${module}.bias`, [size.hidden], { deviation: 0.02 });
  const attributes = { axis: core.intAttribute(-1), epsilon: core.floatAttribute(epsilon) };
  return builder.add(pathOf(module), 'LayerNormalization', [value, gain, bias], attributes);
}

const pathOf = (module) => `/${module.replace(/\.(?!\d)/g, '/')}`;
