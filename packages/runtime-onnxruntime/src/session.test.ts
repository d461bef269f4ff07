import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  addNode,
  type ElementType,
  Graph,
  graphAttribute,
  int64Tensor,
  intAttribute,
  Model,
  type ModelSource,
  type OptimumError,
  type SessionOptions,
  type Shape,
  serializeModel,
  type TensorData,
  tensorOf,
  tensorType,
  Value,
} from '@optimum/core';
import { afterAll, describe, expect, it } from 'vitest';
import { createOnnxRuntime } from './runtime.ts';

const here = dirname(fileURLToPath(import.meta.url));
const runtime = createOnnxRuntime({ from: here });
const folder = mkdtempSync(join(tmpdir(), 'optimum-runtime-'));
const onLinux = process.platform === 'linux';
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function modelOf(graph: Graph, opset = 17): Model {
  const model = new Model(graph);
  model.irVersion = 8;
  model.requireOpset('', opset);
  return model;
}

const bytesOf = (graph: Graph, opset?: number): ModelSource => ({ bytes: serializeModel(modelOf(graph, opset)) });

/** `x` to `y` through one operator. */
function unary(op: string, elementType: ElementType, shape?: Shape): Graph {
  const graph = new Graph('unary');
  const x = graph.addInput(new Value('x', tensorType(elementType, shape)));
  const y = addNode(graph, op, { inputs: [x], outputs: [new Value('y', tensorType(elementType, shape))] });
  graph.addOutput(y.outputs[0] as Value);
  return graph;
}

/** Counts to 2^62, one at a time. */
function endless(): Graph {
  const body = new Graph('body');
  body.addInput(new Value('i', tensorType('int64', [])));
  const keepIn = body.addInput(new Value('keep_in', tensorType('bool', [])));
  const sumIn = body.addInput(new Value('sum_in', tensorType('float32', ['n'])));
  const keep = addNode(body, 'Identity', { inputs: [keepIn], outputs: [new Value('keep', tensorType('bool', []))] });
  const sum = addNode(body, 'Sin', { inputs: [sumIn], outputs: [new Value('sum', tensorType('float32', ['n']))] });
  body.addOutput(keep.outputs[0] as Value);
  body.addOutput(sum.outputs[0] as Value);
  const graph = new Graph('endless');
  const x = graph.addInput(new Value('x', tensorType('float32', ['n'])));
  const trips = graph.addInitializer(int64Tensor([], [1n << 62n]), 'trips');
  const go = graph.addInitializer(tensorOf('bool', [], Uint8Array.of(1)), 'go');
  const loop = addNode(graph, 'Loop', {
    inputs: [trips, go, x],
    attributes: new Map([['body', graphAttribute(body)]]),
    outputs: [new Value('y', tensorType('float32', ['n']))],
  });
  graph.addOutput(loop.outputs[0] as Value);
  return graph;
}

const float = (dims: readonly number[], values: readonly number[] = []): TensorData => ({
  elementType: 'float32',
  dims,
  bytes: new Uint8Array(Float32Array.from(values).buffer),
});

/** Runs `body` with a session and closes it whatever happens. */
async function withSession<T>(
  model: ModelSource,
  body: (session: Awaited<ReturnType<typeof runtime.createSession>>) => Promise<T>,
  options: SessionOptions = {},
): Promise<T> {
  const session = await runtime.createSession(model, options);
  try {
    return await body(session);
  } finally {
    await session.close();
  }
}

/** Session processes that this process has now. */
function children(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      const text = (file: string): string =>
        existsSync(`/proc/${pid}/${file}`) ? readFileSync(`/proc/${pid}/${file}`, 'utf8') : '';
      try {
        return text('status').includes(`PPid:\t${process.pid}\n`) && text('cmdline').includes('session-process');
      } catch {
        return false;
      }
    });
}

describe('tensors', () => {
  it.each([
    ['float32', Float32Array.of(1.5, -0, Number.NaN, Number.POSITIVE_INFINITY)],
    ['float64', Float64Array.of(1e300, -2)],
    ['float16', Uint16Array.of(0x3c00, 0x8000, 0x7c00, 0x0001)],
    ['int8', Int8Array.of(-128, 127, 1)],
    ['uint8', Uint8Array.of(0, 255, 7)],
    ['int16', Int16Array.of(-32768, 5)],
    ['uint16', Uint16Array.of(65535, 5)],
    ['int32', Int32Array.of(-(2 ** 31), 5)],
    ['uint32', Uint32Array.of(2 ** 32 - 1, 5)],
    ['int64', BigInt64Array.of(-(1n << 63n), 5n)],
    ['uint64', BigUint64Array.of((1n << 64n) - 1n, 5n)],
    ['bool', Uint8Array.of(0, 1, 1)],
  ] as const)('%s goes in and comes out, bit for bit', async (elementType, array) => {
    const dims = [array.length];
    const bytes = new Uint8Array(array.buffer);
    const outputs = await withSession(bytesOf(unary('Identity', elementType, ['n'])), async (session) => {
      expect(session.inputs).toEqual([{ name: 'x', elementType, shape: ['n'] }]);
      // A view at an odd place of a larger buffer.
      const shifted = Buffer.concat([Uint8Array.of(9), bytes]).subarray(1);
      return [
        await session.run({ x: { elementType, dims, bytes: shifted } }),
        await session.run({ x: { elementType, dims: [0], bytes: new Uint8Array() } }),
      ];
    });
    expect(outputs.map(({ y }) => [y?.elementType, y?.dims, [...(y?.bytes ?? [])]])).toEqual([
      [elementType, dims, [...bytes]],
      [elementType, [0], []],
    ]);
  });

  it('strings, and tensors without dimensions', async () => {
    const strings = ['ä', '', 'long '.repeat(100)];
    const bytes = new Uint8Array();
    const y = await withSession(bytesOf(unary('Identity', 'string', ['n'])), (session) =>
      session.run({ x: { elementType: 'string', dims: [3], bytes, strings } }),
    );
    expect(y.y).toMatchObject({ elementType: 'string', dims: [3], strings });
    const scalar = await withSession(bytesOf(unary('Identity', 'float32', [])), (session) =>
      session.run({ x: float([], [7]) }),
    );
    expect(scalar.y).toEqual(float([], [7]));
  });

  it('only the outputs that are asked for', async () => {
    const graph = unary('Identity', 'float32', ['n']);
    const sine = addNode(graph, 'Sin', {
      inputs: [graph.inputs[0] as Value],
      outputs: [new Value('z', tensorType('float32', ['n']))],
    });
    graph.addOutput(sine.outputs[0] as Value);
    await withSession(bytesOf(graph), async (session) => {
      expect(Object.keys(await session.run({ x: float([1], [1]) }))).toEqual(['y', 'z']);
      expect(Object.keys(await session.run({ x: float([1], [1]) }, ['z']))).toEqual(['z']);
      await expect(session.run({ x: float([1], [1]) }, ['w'])).rejects.toMatchObject({ code: 'E_USAGE' });
      expect(await session.time({ x: float([1], [1]) }, 5)).toHaveLength(5);
      expect(await session.residentBytes()).toBeGreaterThan(10e6);
    });
  });

  it('a 4-bit output is refused before it ends the process, and left out beside others', async () => {
    const graph = new Graph('four bits');
    const x = graph.addInput(new Value('x', tensorType('float32', ['n'])));
    const cast = addNode(graph, 'Cast', {
      inputs: [x],
      attributes: new Map([['to', intAttribute(22)]]),
      outputs: [new Value('y', tensorType('int4', ['n']))],
    });
    graph.addOutput(cast.outputs[0] as Value);
    await withSession(bytesOf(graph, 21), async (session) => {
      await expect(session.run({ x: float([2], [1, 2]) })).rejects.toMatchObject({
        code: 'E_UNSUPPORTED_DTYPE',
        message: expect.stringContaining('output "y" is int4'),
      });
    });
    const sine = addNode(graph, 'Sin', { inputs: [x], outputs: [new Value('z', tensorType('float32', ['n']))] });
    graph.addOutput(sine.outputs[0] as Value);
    const outputs = await withSession(bytesOf(graph, 21), (session) => session.run({ x: float([1], [0]) }));
    expect(Object.keys(outputs)).toEqual(['z']);
  });
});

describe('observations', () => {
  /** `x` to its sine and, counted, to its shape. */
  function sines(): ModelSource {
    const graph = unary('Sin', 'float32', ['n']);
    const shape = addNode(graph, 'Shape', {
      inputs: [graph.inputs[0] as Value],
      outputs: [new Value('shape', tensorType('int64', [1]))],
    });
    graph.addOutput(shape.outputs[0] as Value);
    return bytesOf(graph);
  }
  const tap = { tensor: 't', output: 'y', rows: 2, channelAxis: 0 };

  it('stay in the process until they are asked for', async () => {
    await withSession(sines(), async (session) => {
      expect(await session.observations()).toEqual({});
      await session.observe({ x: float([2], [0, 1]) }, [tap], 0);
      await session.observe({ x: float([2], [Number.NaN, -1]) }, [tap], 1);
      const { t } = await session.observations();
      const sine = Math.fround(Math.sin(1));
      expect(t).toMatchObject({ runs: 2, elements: 3, min: -sine, max: sine });
      expect(t?.excluded).toEqual({ nan: 1, infinite: 0, sentinel: 0 });
      expect(t?.channels).toEqual({ axis: 0, min: [0, -sine], max: [0, sine] });
      expect(t?.histogram).toEqual({ bins: [0, 0x3f57, 0xbf57], counts: [1, 1, 1] });
      expect(await session.sampledRows()).toEqual({ t: { width: 2, values: Float32Array.of(0, sine) } });
    });
  });

  it('nothing is added by a run that is refused', async () => {
    await withSession(sines(), async (session) => {
      const { observe } = session;
      await expect(observe({}, [tap], 0)).rejects.toMatchObject({ code: 'E_DATA_MISMATCH' });
      const none = { ...tap, output: 'w' };
      await expect(observe({ x: float([1], [1]) }, [none], 0)).rejects.toMatchObject({ code: 'E_USAGE' });
      const integer = { ...tap, output: 'shape' };
      await expect(observe({ x: float([1], [1]) }, [integer], 0)).rejects.toMatchObject({
        code: 'E_UNSUPPORTED_DTYPE',
        message: expect.stringContaining('"shape" is int64'),
      });
      await observe({ x: float([1], [1]) }, [], 0);
      expect(await session.observations()).toEqual({});
    });
  });

  it('are of no use once the process is gone', async () => {
    const session = await runtime.createSession(sines());
    await session.observe({ x: float([1], [1]) }, [tap], 0);
    await session.close();
    await expect(session.observations()).rejects.toMatchObject({ code: 'E_INTERRUPTED' });
  });
});

describe('wrong inputs', () => {
  it.each<[string, Readonly<Record<string, TensorData>>, RegExp]>([
    ['none', {}, /input "x": it is missing/],
    ['another name', { y: float([1, 3], [1, 2, 3]) }, /input "y": the model has no such input \(it has x\)/],
    ['another type', { x: { ...float([1, 3], [1, 2, 3]), elementType: 'int32' } }, /expected float32, got int32/],
    ['another rank', { x: float([3], [1, 2, 3]) }, /expected 2 dimensions, got \[3\]/],
    ['another size', { x: float([1, 4], [1, 2, 3, 4]) }, /expected 3 at dimension 1, got \[1, 4\]/],
    ['too few bytes', { x: float([2, 3], [1, 2, 3]) }, /float32\[2, 3\] needs 24 bytes, got 12/],
    ['a negative size', { x: float([-1, 3], []) }, /\[-1, 3\] are no sizes/],
  ])('%s', async (_, feeds, message) => {
    await withSession(bytesOf(unary('Identity', 'float32', ['n', 3])), async (session) => {
      const failure = await session.run(feeds).catch((error: unknown) => error);
      expect(failure).toMatchObject({ code: 'E_DATA_MISMATCH', exitCode: 24, message: expect.stringMatching(message) });
      // The session lives on.
      expect(await session.run({ x: float([1, 3], [1, 2, 3]) })).toBeTruthy();
    });
  });

  it('sizes that the runtime itself refuses', async () => {
    const graph = new Graph('add');
    const a = graph.addInput(new Value('a', tensorType('float32', ['n'])));
    const b = graph.addInput(new Value('b', tensorType('float32', ['m'])));
    graph.addOutput(
      addNode(graph, 'Add', { inputs: [a, b], outputs: [new Value('y', tensorType('float32', ['n']))] })
        .outputs[0] as Value,
    );
    await withSession(bytesOf(graph), async (session) => {
      const failure = await session.run({ a: float([2], [1, 2]), b: float([3], [1, 2, 3]) }).catch((error) => error);
      expect(failure).toMatchObject({ code: 'E_DATA_MISMATCH', message: expect.stringContaining('refused to run') });
      expect(failure.message).not.toMatch(/\.cc|onnxruntime_src/);
    });
  });
});

describe('a model that does not load', () => {
  it.each<[string, () => ModelSource, RegExp]>([
    ['noise', () => ({ bytes: Uint8Array.of(1, 2, 3, 4) }), /does not load on ONNX Runtime/],
    ['an unknown operator', () => bytesOf(unary('Frobnicate', 'float32', ['n'])), /Frobnicate/],
    ['an opset of the future', () => bytesOf(unary('Identity', 'float32', ['n']), 99), /opset 99/i],
    ['no file', () => ({ path: join(folder, 'missing.onnx') }), /missing\.onnx does not load/],
  ])('%s', async (_, model, message) => {
    const failure = await runtime.createSession(model()).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'E_VERIFY_LOAD', exitCode: 27, message: expect.stringMatching(message) });
    if (onLinux) expect(children()).toEqual([]);
  });

  it('a session entry that is no string', async () => {
    const config = { 'session.intra_op.allow_spinning': 0 } as unknown as Record<string, string>;
    await expect(runtime.createSession(bytesOf(unary('Identity', 'float32', [])), { config })).rejects.toMatchObject({
      code: 'E_CONFIG_SCHEMA',
      message: expect.stringContaining('allow_spinning'),
    });
  });
});

describe('options', () => {
  it('writes the optimized graph, from a path with spaces and accents', async () => {
    const path = join(folder, 'modèle à moi.onnx');
    writeFileSync(path, serializeModel(modelOf(unary('Sin', 'float32', ['n']))));
    const optimizedModelPath = join(folder, 'optimisé.onnx');
    await withSession({ path }, async (session) => expect(session.loadMs).toBeGreaterThan(0), { optimizedModelPath });
    expect(readFileSync(optimizedModelPath).byteLength).toBeGreaterThan(50);
  });

  it.skipIf(!onLinux)('threads are those that are asked for, and telemetry is off', async () => {
    const counts: number[] = [];
    for (const threads of [1, 4]) {
      await withSession(
        bytesOf(unary('Sin', 'float32', ['n'])),
        async () => {
          const [pid] = children();
          counts.push(readdirSync(`/proc/${pid}/task`).length);
          expect(readFileSync(`/proc/${pid}/environ`, 'utf8')).toContain('ORT_DISABLE_TELEMETRY=1\0');
        },
        { threads },
      );
    }
    expect((counts[1] as number) - (counts[0] as number)).toBe(3);
  });
});

/** The error with which a run that never ends is ended. */
async function endOfRun(options: SessionOptions, disturb: () => unknown = () => undefined): Promise<OptimumError> {
  const session = await runtime.createSession(bytesOf(endless()), options);
  const run = session.run({ x: float([1000], Array(1000).fill(1)) }).catch((error: unknown) => error);
  await new Promise((done) => setTimeout(done, 200));
  disturb();
  const failure = (await run) as OptimumError;
  // What comes after the end fails the same way, at once.
  await expect(session.run({ x: float([1], [1]) })).rejects.toMatchObject({ code: failure.code });
  await session.close();
  await session.close();
  if (onLinux) expect(children()).toEqual([]);
  return failure;
}

describe('a process that does not come back', () => {
  it('hangs: it is stopped in time', async () => {
    const start = performance.now();
    const failure = await endOfRun({ timeLimitMs: 1500 });
    expect(failure).toMatchObject({ code: 'E_BACKEND_TIMEOUT', exitCode: 43 });
    expect(failure.message).toMatch(/did not finish "run" on a model in memory within 1500 ms/);
    expect(performance.now() - start).toBeLessThan(6000);
  });

  it.skipIf(!onLinux)('crashes', async () => {
    const failure = await endOfRun({}, () => process.kill(children()[0] as number, 'SIGSEGV'));
    expect(failure).toMatchObject({ code: 'E_BACKEND_CRASHED', exitCode: 42 });
    expect(failure.message).toContain('SIGSEGV');
  });

  it.skipIf(!onLinux)('is ended by Ctrl-C, which reaches the whole group: no crash', async () => {
    const failure = await endOfRun({}, () => process.kill(children()[0] as number, 'SIGINT'));
    expect(failure).toMatchObject({ code: 'E_INTERRUPTED', exitCode: 130 });
  });

  it('is aborted', async () => {
    const controller = new AbortController();
    const failure = await endOfRun({ signal: controller.signal }, () => controller.abort());
    expect(failure).toMatchObject({ code: 'E_INTERRUPTED' });
    await expect(
      runtime.createSession(bytesOf(unary('Sin', 'float32', ['n'])), { signal: controller.signal }),
    ).rejects.toMatchObject({ code: 'E_INTERRUPTED' });
  });

  it('is closed in the middle of a run', async () => {
    const session = await runtime.createSession(bytesOf(endless()));
    const run = session.run({ x: float([1], [1]) }).catch((error: unknown) => error);
    const start = performance.now();
    await session.close();
    expect(await run).toMatchObject({ code: 'E_INTERRUPTED' });
    expect(performance.now() - start).toBeLessThan(1500);
  });

  it.skipIf(!onLinux)('grows', async () => {
    const graph = new Graph('grower');
    const shape = graph.addInput(new Value('shape', tensorType('int64', [1])));
    const big = addNode(graph, 'ConstantOfShape', { inputs: [shape] }).outputs[0] as Value;
    const size = addNode(graph, 'ReduceMax', {
      inputs: [addNode(graph, 'Sin', { inputs: [big] }).outputs[0] as Value],
    });
    (size.outputs[0] as Value).name = 'y';
    (size.outputs[0] as Value).type = tensorType('float32', ['n']);
    graph.addOutput(size.outputs[0] as Value);
    const memoryLimitBytes = 300e6;
    const feed: TensorData = {
      elementType: 'int64',
      dims: [1],
      bytes: new Uint8Array(BigInt64Array.of(1n << 29n).buffer),
    };
    const failure = await withSession(bytesOf(graph), (session) => session.run({ shape: feed }), {
      memoryLimitBytes,
    }).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'E_LIMIT_MEMORY', exitCode: 23, context: { limit: memoryLimitBytes } });
  });

  it.skipIf(!onLinux)('many sessions leave no process behind', async () => {
    const model = bytesOf(unary('Sin', 'float32', ['n']));
    for (let round = 0; round < 3; round++) {
      const sessions = await Promise.all(Array.from({ length: 4 }, () => runtime.createSession(model)));
      expect(children()).toHaveLength(4);
      await Promise.all(sessions.map((session) => session.close()));
      expect(children()).toEqual([]);
    }
  });

  it.skipIf(!onLinux)('ends by itself when its parent is killed, even in a run that never ends', async () => {
    const path = join(folder, 'endless.onnx');
    writeFileSync(path, serializeModel(modelOf(endless())));
    const status = await runtime.status();
    const parent = spawn('node', ['-e', orphaned(path, status.status === 'found' ? status.path : '')]);
    let out = '';
    parent.stdout.on('data', (chunk) => (out += chunk));
    while (!out.includes('running')) await new Promise((done) => setTimeout(done, 20));
    const pid = Number(/pid (\d+)/.exec(out)?.[1]);
    await new Promise((done) => setTimeout(done, 300));
    expect(existsSync(`/proc/${pid}`)).toBe(true);
    parent.kill('SIGKILL');
    const start = performance.now();
    while (existsSync(`/proc/${pid}`) && !isZombie(pid) && performance.now() - start < 5000)
      await new Promise((done) => setTimeout(done, 50));
    expect(performance.now() - start).toBeLessThan(3000);
  });
});

const isZombie = (pid: number): boolean => /State:\tZ/.test(readFileSync(`/proc/${pid}/status`, 'utf8'));

/** A program that starts a session process, sets it running for ever, and waits. */
function orphaned(model: string, library: string): string {
  return `
    const child = require('node:child_process').fork(${JSON.stringify(join(here, '../process/session-process.mjs'))}, [], { serialization: 'advanced' });
    const bytes = new Uint8Array(Float32Array.of(1).buffer);
    const feeds = { x: { elementType: 'float32', dims: [1], bytes } };
    child.on('message', ({ id, error }) => {
      if (error || id !== 1) throw new Error(error);
      child.send({ id: 2, method: 'run', parameters: { feeds, outputs: ['y'] } }, () => console.log('running pid ' + child.pid));
    });
    const modulePath = require.resolve(${JSON.stringify(library)});
    child.send({ id: 1, method: 'create', parameters: { modulePath, model: ${JSON.stringify(model)}, options: {} } });`;
}
