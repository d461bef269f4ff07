import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { MemorySource } from '../../foundation/index.ts';
import { formatType, type Model, type Value } from '../../ir/index.ts';
import { readModel, serializeModel } from '../../onnx/index.ts';
import { inferTypes } from './infer-types.ts';
import { modelOfBytes, zooModels } from './test-corpus.ts';
import { modelOf, valuesByName } from './test-model.ts';
import { writeInferredTypes } from './write-inferred-types.ts';

const declared = (model: Model, name: string): string => formatType(valuesByName(model).get(name)?.type);
const reread = (model: Model): Model => readModel(new MemorySource(serializeModel(model), 'memory'));

describe('writeInferredTypes', () => {
  const chain = (): Model =>
    modelOf({
      inputs: { x: 'float32[n,3]' },
      nodes: [['Relu(x) -> inner'], ['Neg(inner) -> y']],
      outputs: { y: 'float32[rows,?]' },
    });

  it('puts types on inner values, which the writer then emits', () => {
    const model = chain();
    expect(writeInferredTypes(model)).toBe(1);
    const after = reread(model);
    expect(declared(after, 'inner')).toBe('float32[n,3]');
    expect(declared(after, 'y')).toBe('float32[rows,?]');
    expect(writeInferredTypes(model)).toBe(0);
  });

  it('refines outputs too in mode onnx, as Python does', () => {
    const model = chain();
    expect(writeInferredTypes(model, { mode: 'onnx' })).toBe(2);
    expect(declared(reread(model), 'y')).toBe('float32[rows,3]');
  });

  it('leaves the model alone before', () => {
    const model = chain();
    inferTypes(model);
    expect(declared(model, 'inner')).toBe('?');
  });

  const file = zooModels()?.get('own/reviews-bert-256/onnx/model.onnx');
  it.skipIf(!file)('survives the round trip of a real model', () => {
    const model = modelOfBytes(readFileSync(file as string), file as string);
    const inference = inferTypes(model, { mode: 'onnx' });
    writeInferredTypes(model, { mode: 'onnx' });
    const after = valuesByName(reread(model));
    for (const [name, value] of valuesByName(model)) {
      expect([name, formatType(after.get(name)?.type)]).toEqual([name, formatType(inference.typeOf(value as Value))]);
    }
  });
});
