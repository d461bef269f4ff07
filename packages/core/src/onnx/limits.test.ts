import { describe, expect, it } from 'vitest';
import * as b from '../../../../tools/fuzz/build.ts';
import { errorOf, expectRefused, read } from '../../../../tools/fuzz/expect-refused.ts';
import { join } from '../../../../tools/fuzz/protobuf-tree.ts';
import { MemorySource } from '../foundation/index.ts';
import { walkGraphs } from '../ir/index.ts';
import { readModel, serializeModel } from './index.ts';

const frame = [b.input('x'), b.input('c', b.tensorType(9, []))];
const nested = (depth: number): Uint8Array => b.modelOf(b.nestedGraph(depth), ...frame);

/** The same field many times. */
function repeated(field: Uint8Array, count: number): Uint8Array {
  const bytes = new Uint8Array(field.length * count);
  for (let at = 0; at < bytes.length; at += field.length) bytes.set(field, at);
  return bytes;
}

describe('depth', () => {
  it.each([1, 5, 30, 32])('%i graphs inside each other are accepted and written back', (depth) => {
    const model = read(nested(depth));
    expect([...walkGraphs(model)]).toHaveLength(depth + 1);
    const written = serializeModel(model);
    expect(Buffer.compare(serializeModel(read(written)), written)).toBe(0);
  });

  it.each([33, 34, 100, 2000])('%i are not', (depth) => {
    expectRefused(['', nested(depth), 'E_LIMIT_DEPTH', 'more than 100 messages inside each other']);
  });

  it('20,000 graphs in 234 kB are refused at once', () => {
    const bytes = nested(5000);
    const started = performance.now();
    expectRefused(['', bytes, 'E_LIMIT_DEPTH', 'limit of the reader']);
    expect(performance.now() - started).toBeLessThan(2000);
  });

  it('types inside each other as well', () => {
    let type = b.tensorType(1, [2]);
    for (let level = 0; level < 40; level++) type = b.message(4, b.message(1, type));
    expect(read(b.modelOf(b.input('x', type))).graph.inputs).toHaveLength(1);
    for (let level = 0; level < 20; level++) type = b.message(4, b.message(1, type));
    expectRefused(['', b.modelOf(b.input('x', type)), 'E_LIMIT_DEPTH', 'messages inside each other']);
  });

  it('can be lowered and raised, and names the option', () => {
    expect(errorOf(() => read(nested(5), { limits: { depth: 10 } })).hint).toContain('limits.depth');
    expect(read(nested(40), { limits: { depth: 200 } }).graph.nodeCount).toBe(1);
    expect(errorOf(() => read(nested(2000), { limits: { depth: 1e6 } })).code).toBe('E_LIMIT_DEPTH');
  });
});

describe('object bombs', () => {
  const attribute = (...fields: Uint8Array[]): Uint8Array => b.node('A', [], ['y'], b.message(5, ...fields));
  it.each<[string, (count: number) => Uint8Array]>([
    ['empty nodes', (count) => b.modelOf(repeated(b.raw(0x0a, 0), count))],
    ['nodes without outputs', (count) => b.modelOf(repeated(b.message(1, b.string(4, 'A')), count))],
    ['empty initializers', (count) => b.modelOf(repeated(b.raw(0x2a, 0), count))],
    [
      'empty strings of a tensor',
      (count) => b.modelOf(b.initializer('w', 8, [count], repeated(b.raw(0x32, 0), count))),
    ],
    [
      'numbers that are not packed',
      (count) => b.modelOf(b.initializer('w', 6, [count], repeated(b.raw(0x28, 0), count))),
    ],
    [
      'empty strings of an attribute',
      (count) => b.modelOf(attribute(b.string(1, 'a'), repeated(b.raw(0x4a, 0), count))),
    ],
    ['graphs of an attribute', (count) => b.modelOf(attribute(b.string(1, 'a'), repeated(b.raw(0x5a, 0), count)))],
    ['inputs of a node', (count) => b.modelOf(b.message(1, b.string(4, 'A'), repeated(b.raw(0x0a, 0), count)))],
    ['outputs of a node', (count) => b.modelOf(b.message(1, b.string(4, 'A'), repeated(b.raw(0x12, 0), count)))],
    ['unknown fields of a node', (count) => b.modelOf(b.message(1, b.string(4, 'A'), repeated(b.raw(0x70, 0), count)))],
    ['unknown fields of the graph', (count) => b.modelOf(repeated(b.raw(0x70, 0), count))],
    ['unknown fields of the model', (count) => join([b.modelOf(), repeated(b.raw(0x78, 0), count)])],
    ['value infos', (count) => b.modelOf(repeated(b.raw(0x6a, 0), count))],
    ['opset imports', (count) => join([b.modelOf(), repeated(b.message(8, b.varint(2, 1)), count)])],
    ['functions', (count) => join([b.modelOf(), repeated(b.message(25), count)])],
  ])('%s: 4 million are refused before they fill the memory', (_name, make) => {
    const bytes = make(4_000_000);
    const before = process.memoryUsage().heapUsed;
    const error = errorOf(() => readModel(new MemorySource(bytes, 'bad.onnx')));
    expect(['E_LIMIT_OBJECTS', 'E_MODEL_INVALID']).toContain(error.code);
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(512 * 2 ** 20);
  });

  it('long lists of numbers are no bomb: a forest of trees has millions', () => {
    const list = b.message(5, b.string(1, 'a'), b.bytes(8, b.zeros(3_000_000)), b.varint(20, 7));
    const [node] = read(b.modelOf(b.node('Forest', [], ['y'], list))).graph.nodes();
    expect(node?.ints('a')).toHaveLength(3_000_000);
  });

  it('the limit can be raised and lowered', () => {
    const bytes = b.modelOf(repeated(b.message(1, b.string(4, 'A')), 1000));
    expect(errorOf(() => read(bytes, { limits: { objects: 500 } })).hint).toContain('limits.objects');
    expect(read(bytes, { limits: { objects: 100_000 } }).graph.nodeCount).toBe(1000);
  });
});
