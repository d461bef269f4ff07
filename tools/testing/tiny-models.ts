import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { seededRandom } from '../../packages/core/src/foundation/index.ts';
import { addNode, float32Tensor, Graph, Model, tensorType, Value } from '../../packages/core/src/ir/index.ts';
import { saveModel } from '../../packages/core/src/node/save-model.ts';

export interface TinyOptions {
  /** Number of MatMul + Add + Relu layers. @defaultValue 2 */
  readonly layers?: number;
  /** Rows and columns of a weight. @defaultValue 64 */
  readonly width?: number;
  /** Put in place of the first element of the first weight. */
  readonly poison?: number;
}

/** `x[batch, width]` through layers of MatMul, Add and Relu to `y`. Same options, same bytes. */
export function tinyModel({ layers = 2, width = 64, poison }: TinyOptions = {}): Model {
  const { next } = seededRandom(7);
  const weights = (count: number): number[] => Array.from({ length: count }, () => next() - 0.5);
  const graph = new Graph('tiny');
  let value = graph.addInput(new Value('x', tensorType('float32', ['batch', width])));
  for (let layer = 0; layer < layers; layer++) {
    const numbers = weights(width * width);
    if (layer === 0 && poison !== undefined) numbers[0] = poison;
    const weight = graph.addInitializer(float32Tensor([width, width], numbers), `layer.${layer}.weight`);
    const bias = graph.addInitializer(float32Tensor([width], weights(width)), `layer.${layer}.bias`);
    const product = addNode(graph, 'MatMul', { name: `layer.${layer}/MatMul`, inputs: [value, weight] }).outputs[0];
    const sum = addNode(graph, 'Add', { inputs: [product as Value, bias] }).outputs[0];
    value = addNode(graph, 'Relu', { inputs: [sum as Value] }).outputs[0] as Value;
  }
  value.name = 'y';
  value.type = tensorType('float32', ['batch', width]);
  graph.addOutput(value);
  const model = new Model(graph);
  model.irVersion = 8;
  model.requireOpset('', 17);
  return model;
}

/** Writes a tiny model and returns its path. */
export async function writeTiny(
  path: string,
  options: TinyOptions & { readonly externalData?: 'always' } = {},
): Promise<string> {
  mkdirSync(dirname(path), { recursive: true });
  await saveModel(tinyModel(options), path, { force: true, externalData: options.externalData });
  return path;
}

/** A model folder with the named sessions and the usual companions. */
export async function writeTinyFolder(folder: string, sessions: readonly string[] = ['model']): Promise<string> {
  for (const session of sessions) await writeTiny(join(folder, 'onnx', `${session}.onnx`));
  writeFileSync(join(folder, 'config.json'), JSON.stringify({ model_type: 'bert', architectures: ['BertModel'] }));
  writeFileSync(join(folder, 'tokenizer.json'), '{"version": "1.0"}');
  return folder;
}

/** Everything below a folder: path to the hash of its content (or where a link leads). Equal only if nothing changed. */
export function snapshot(folder: string, below = ''): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of readdirSync(join(folder, below)).sort()) {
    const path = join(below, name);
    const full = join(folder, path);
    const stats = lstatSync(full);
    if (stats.isDirectory()) Object.assign(found, { [path]: 'folder' }, snapshot(folder, path));
    else if (stats.isSymbolicLink()) found[path] = `-> ${readlinkSync(full)}`;
    else if (stats.isFile()) found[path] = createHash('sha256').update(readFileSync(full)).digest('hex');
    else found[path] = 'special';
  }
  return found;
}
