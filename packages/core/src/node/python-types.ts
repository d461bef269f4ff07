import { inferTypes } from '../analysis/index.ts';
import { type Model, type ValueType, walkNodes, walkValues } from '../ir/index.ts';
import { splitGemm } from '../passes/index.ts';
import { loadModelSync } from './load-model.ts';

/**
 * The types, by name, that Python's quantizer writes into the file that it makes: those that onnx infers for the float
 * model with its Gemm split. The runtime's fusions depend on them, so they decide whether outputs agree bit for bit.
 *
 * @param model the float model, which is not changed
 * @param path its file, read again where a model with split Gemm is needed
 */
export function pythonTypes(model: Model, path: string): ReadonlyMap<string, ValueType> {
  if (![...walkNodes(model)].some((node) => node.is('Gemm'))) return typesOf(model);
  const again = loadModelSync(path);
  try {
    splitGemm(again.model);
    return typesOf(again.model);
  } finally {
    again.close();
  }
}

function typesOf(model: Model): ReadonlyMap<string, ValueType> {
  const inference = inferTypes(model, { mode: 'onnx' });
  const types = new Map<string, ValueType>();
  for (const value of walkValues(model.graph)) {
    const type = inference.typeOf(value);
    if (value.name && type) types.set(value.name, type);
  }
  return types;
}

/** Puts types on what nodes make. */
export function writeTypes(model: Model, types: ReadonlyMap<string, ValueType>): void {
  for (const node of walkNodes(model.graph)) {
    for (const value of node.outputs) {
      const type = value?.name ? types.get(value.name) : undefined;
      if (value && type) value.type = type;
    }
  }
}
