import { describe, expect, it } from 'vitest';
import type { Runtime, Session, TensorData } from '../backend/index.ts';
import { OptimumError } from '../foundation/index.ts';
import { parseModel } from '../text/index.ts';
import { type VerifyRequest, verifyModel } from './verify.ts';

const float = (values: readonly number[]): TensorData => ({
  elementType: 'float32',
  dims: [1, values.length],
  bytes: new Uint8Array(Float32Array.from(values).buffer),
});

const product = (op: string): string =>
  `<ir_version: 8, opset_import: ["": 17, "com.microsoft": 1]> g (float[n,2] x) => (float[n,2] y) <int8[2,2] w = {1,2,3,4}, float[1] s = {1}> ${op}`;
const fused = parseModel(product('{ y = com.microsoft.DynamicQuantizeMatMul (x, w, s) }'));

type Outputs = (feeds: Readonly<Record<string, TensorData>>) => Record<string, TensorData>;

interface Fakes {
  readonly original?: Outputs;
  readonly quantized?: Outputs;
  /** Wrong integer outputs that the taps tell. */
  readonly wrong?: number;
}

/** A runtime whose sessions answer from functions; it keeps count of what is open. */
function fakeRuntime({ original, quantized, wrong = 0 }: Fakes): {
  runtime: Runtime;
  open: Set<string>;
  opened: string[];
} {
  const open = new Set<string>();
  const opened: string[] = [];
  const echo: Outputs = ({ x }) => ({ y: x as TensorData });
  const answer = (name: string): Outputs => {
    if (name === 'tapped') {
      return () => ({
        'optimum.check.0.wrong': scalar(wrong),
        'optimum.check.0.largest': scalar(wrong),
        'optimum.check.0.outputs': scalar(10),
      });
    }
    return (name === 'original' ? original : quantized) ?? echo;
  };
  const createSession = async (model: { path: string } | { bytes: Uint8Array }): Promise<Session> => {
    const name = 'path' in model ? model.path : 'tapped';
    open.add(name);
    opened.push(name);
    return {
      inputs: [],
      outputs: [],
      loadMs: 0,
      run: async (feeds) => answer(name)(feeds),
      time: async (_feeds, count) => Array.from({ length: count }, () => (name === 'original' ? 2 : 1)),
      observe: async () => undefined,
      observations: async () => ({}),
      sampledRows: async () => ({}),
      profile: async () => [],
      residentBytes: async () => 0,
      close: async () => void open.delete(name),
    };
  };
  const runtime = {
    specVersion: 1,
    id: 'fake',
    capabilities: [],
    limits: { opset: 26, irVersion: 13 },
    createSession,
  } as unknown as Runtime;
  return { runtime, open, opened };
}

const scalar = (value: number): TensorData => ({
  elementType: 'float64',
  dims: [],
  bytes: new Uint8Array(Float64Array.of(value).buffer),
});

const wide = Array.from({ length: 40 }, (_, index) => index - 20);
const caseOf = (label: string, ...attempts: (readonly number[])[]) => ({
  label,
  attempts: attempts.map((values) => () => ({ x: float(values) })),
});

const requestOf = (runtime: Runtime, fields: Partial<VerifyRequest> = {}): VerifyRequest => ({
  name: 'm.onnx',
  runtime,
  original: { path: 'original' },
  quantized: { path: 'quantized' },
  optimizedModelPath: 'optimized',
  readModel: () => fused,
  tapped: {
    model: parseModel(product('{ y = com.microsoft.DynamicQuantizeMatMul (x, w, s) }')),
    serialize: () => new Uint8Array(),
    folder: '.',
  },
  kernels: ['DynamicQuantizeMatMul'],
  cases: [caseOf('a', wide)],
  moreCases: [],
  timing: caseOf('timing', wide),
  threads: 1,
  session: {},
  exactKernelPath: false,
  ...fields,
});

const codeOf = async (work: Promise<unknown>): Promise<string> => {
  const error = await work.catch((failure: unknown) => failure);
  return OptimumError.isInstance(error) ? error.code : `no error: ${String(error)}`;
};

const scaledBy =
  (factor: number): Outputs =>
  ({ x }) => {
    const bytes = (x as TensorData).bytes.slice();
    return { y: float([...new Float32Array(bytes.buffer)].map((value) => value * factor)) };
  };

describe('verifyModel', () => {
  it('reports kernels, exact integers, errors and speed, and closes what it opened', async () => {
    const { runtime, open, opened } = fakeRuntime({ quantized: scaledBy(1.01) });
    const report = await verifyModel(requestOf(runtime));
    expect(report.kernels).toMatchObject({ expected: 1, found: { DynamicQuantizeMatMul: 1 } });
    expect(report.integers).toMatchObject({ nodes: 1, outputs: 10, wrong: 0 });
    expect(report.relativeError).toBeCloseTo(0.01, 6);
    expect(report.speed).toMatchObject({ speedup: 2, verdict: 'faster' });
    expect(report.notChecked).toEqual([]);
    expect(opened).toEqual(['quantized', 'original', 'tapped']);
    expect(open.size).toBe(0);
  });

  it('looks at the integers that the runtime makes where exact kernels are put in place of its own', async () => {
    const { runtime, open, opened } = fakeRuntime({});
    const read: string[] = [];
    const readModel = (path: string) => {
      read.push(path);
      return fused;
    };
    const optimizedModelPath = 'scratch/optimized.onnx';
    const report = await verifyModel(requestOf(runtime, { exactKernelPath: true, readModel, optimizedModelPath }));
    expect(report.integers).toMatchObject({ nodes: 1, wrong: 0 });
    expect(opened).toEqual(['quantized', 'original', 'quantized', 'tapped']);
    expect(read).toEqual(['scratch/optimized.onnx', 'scratch/fused.onnx']);
    expect(open.size).toBe(0);
  });

  it.each([
    ['outputs that are far', { quantized: scaledBy(-1) }, {}, 'E_VERIFY_NUMERIC'],
    ['outputs that are no numbers', { quantized: scaledBy(Number.NaN) }, {}, 'E_VERIFY_NUMERIC'],
    ['integers that are wrong', { wrong: 3 }, {}, 'E_VERIFY_NUMERIC'],
    ['a missing kernel', {}, { readModel: () => parseModel(product('{ y = Relu (x) }')) }, 'E_VERIFY_KERNELS'],
  ])('refuses %s, and closes what it opened', async (_what, fakes, fields, code) => {
    const { runtime, open } = fakeRuntime(fakes);
    expect(await codeOf(verifyModel(requestOf(runtime, fields)))).toBe(code);
    expect(open.size).toBe(0);
  });

  it('judges outputs of few elements over several inputs, together', async () => {
    const single = (feeds: Readonly<Record<string, TensorData>>): Record<string, TensorData> => ({
      y: feeds.x as TensorData,
    });
    const shifted: Outputs = ({ x }) => ({
      y: float([(new Float32Array((x as TensorData).bytes.slice().buffer)[0] as number) + 0.02]),
    });
    const { runtime } = fakeRuntime({ original: single, quantized: shifted });
    // Near zero the error is larger than the output: alone it would be refused.
    const moreCases = Array.from({ length: 40 }, (_, index) => caseOf(`more ${index}`, [index - 20]));
    const report = await verifyModel(requestOf(runtime, { cases: [caseOf('near zero', [0.001])], moreCases }));
    expect(report.cases.length).toBe(32);
    expect(report.outputs[0]).toMatchObject({ name: 'y', elements: 32 });
    expect(report.relativeError).toBeLessThan(0.01);
  });

  it('tries the attempts of a case until the original takes one, and says what it refuses altogether', async () => {
    const picky: Outputs = ({ x }) => {
      if (x?.dims[1] !== 40) throw new OptimumError('E_DATA_MISMATCH', 'only 40');
      return { y: x };
    };
    const { runtime } = fakeRuntime({ original: picky });
    const cases = [caseOf('second works', [1], wide), caseOf('none works', [1], [2])];
    const report = await verifyModel(requestOf(runtime, { cases }));
    expect(report.cases.map(({ label }) => label)).toEqual(['second works']);
    expect(report.notChecked).toEqual([expect.stringMatching(/outputs on none works.*only 40.*--data/)]);
  });

  it('compares nothing where the original refuses everything, and says why speed is not measured', async () => {
    const never: Outputs = () => {
      throw new OptimumError('E_DATA_MISMATCH', 'no');
    };
    const { runtime } = fakeRuntime({ original: never });
    const report = await verifyModel(requestOf(runtime, { timing: { notMeasured: 'switched off' } }));
    expect(report.cases).toEqual([]);
    expect(report.integers.nodes).toBe(0);
    expect(report.notChecked).toContainEqual('speed: switched off');
  });

  it('judges by given data where that is asked for; made-up inputs only have to run and stay finite', async () => {
    // As a static model outside its calibrated range: everything above 20 is cut off.
    const clipped: Outputs = ({ x }) => {
      const values = new Float32Array((x as TensorData).bytes.slice().buffer);
      return { y: float([...values].map((value) => Math.min(20, value))) };
    };
    const outside = caseOf(
      'made-up inputs 1',
      wide.map((value) => value * 1000),
    );
    const given = { ...caseOf('sample 1 of the data', wide), isGiven: true };
    const { runtime } = fakeRuntime({ quantized: clipped });
    const cases = [outside, given];
    expect(await codeOf(verifyModel(requestOf(runtime, { cases })))).toBe('E_VERIFY_NUMERIC');
    const report = await verifyModel(requestOf(runtime, { cases, judgeBy: 'given' }));
    expect(report.cases.map(({ label }) => label)).toEqual(['made-up inputs 1', 'sample 1 of the data']);
    expect(report.relativeError).toBe(0);
    expect(report.outputs[0]?.elements).toBe(40);
    // Without any given data that runs, made-up inputs are all there is.
    expect(await codeOf(verifyModel(requestOf(runtime, { cases: [outside], judgeBy: 'given' })))).toBe(
      'E_VERIFY_NUMERIC',
    );
    const broken = fakeRuntime({
      quantized: ({ x }) =>
        (x as TensorData).bytes.length === 160 ? { y: x as TensorData } : { y: float([Number.NaN]) },
    });
    const short = caseOf('made-up inputs 2', [1]);
    expect(await codeOf(verifyModel(requestOf(broken.runtime, { cases: [short, given], judgeBy: 'given' })))).toBe(
      'E_VERIFY_NUMERIC',
    );
  });

  it('runs no further made-up inputs to judge given ones', async () => {
    const { runtime } = fakeRuntime({});
    const cases = [{ ...caseOf('sample 1 of the data', [1]), isGiven: true }];
    const moreCases = [caseOf('made-up inputs 3', [2])];
    const labels = async (judgeBy: 'all' | 'given') =>
      (await verifyModel(requestOf(runtime, { cases, moreCases, judgeBy }))).cases.map(({ label }) => label);
    expect(await labels('given')).toEqual(['sample 1 of the data']);
    expect(await labels('all')).toEqual(['sample 1 of the data', 'made-up inputs 3']);
  });

  it('lets a crash of the runtime through', async () => {
    const crash: Outputs = () => {
      throw new OptimumError('E_BACKEND_CRASHED', 'gone');
    };
    const { runtime, open } = fakeRuntime({ quantized: crash });
    expect(await codeOf(verifyModel(requestOf(runtime)))).toBe('E_BACKEND_CRASHED');
    expect(open.size).toBe(0);
  });

  it('stops when it is aborted', async () => {
    const { runtime, open } = fakeRuntime({});
    expect(await codeOf(verifyModel(requestOf(runtime, { signal: AbortSignal.abort() })))).toBe('E_INTERRUPTED');
    expect(open.size).toBe(0);
  });
});
