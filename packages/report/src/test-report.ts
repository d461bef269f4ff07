import {
  type CalibratedTensor,
  clippedShare,
  countOperators,
  groupFloat,
  type Plan,
  type PlanEntry,
  type QuantizeReport,
  quantizationParameters,
  type Range,
  type SessionReport,
  type Statistics,
  seededRandom,
  type TensorObservation,
  type Verification,
} from '@optimum/core';
import { observationOf } from '../../core/src/observe/test-observation.ts';

const scheme = { elementType: 'uint8', symmetric: false } as const;

/** Normal values with a few outliers far out, as behind LayerNorm. */
function activations(seed: number, spread: number, outliers: number): TensorObservation {
  const random = seededRandom(seed);
  const values = Array.from({ length: 4000 }, () => spread * random.normal());
  for (let index = 0; index < outliers; index++) values.push(spread * (12 + 20 * random.next()));
  return observationOf(values);
}

function calibrated(id: string, observation: TensorObservation, range: Range): CalibratedTensor {
  const parameters = quantizationParameters(range, scheme);
  return { id, elementType: 'uint8', range, ...parameters, clipped: clippedShare(observation, range), observation };
}

function tensorsOf(layers: number): CalibratedTensor[] {
  return Array.from({ length: layers }, (_, layer) => {
    const name = (what: string): string => `/bert/encoder/layer.${layer}/${what}_output_0`;
    const norm = activations(layer + 1, 0.9, 3 * layer);
    const gelu = observationOf(
      Array.from({ length: 3000 }, (_, index) => Math.max(-0.17, 2 * seededRandom(900 + layer + index).normal())),
    );
    const mask = observationOf([0, 0, -1, -3.4e38, Number.NaN, Number.NEGATIVE_INFINITY, 0.25]);
    return [
      calibrated(name('attention/output/LayerNorm/Add_1'), norm, { min: -3.4, max: 3.4 }),
      calibrated(name('intermediate/intermediate_act_fn/Mul_1'), gelu, { min: gelu.min, max: gelu.max }),
      calibrated(name('attention/self/Where'), mask, { min: mask.min, max: mask.max }),
    ];
  }).flat();
}

function planOf(layers: number): Plan {
  const weight = { elementType: 'int8', granularity: 'channel', range: 'pair-aware' } as const;
  const entries = Array.from({ length: layers }, (_, layer): PlanEntry[] => {
    const id = (what: string): string => `/bert/encoder/layer.${layer}/${what}`;
    const capability = 'ort-qlinear-matmul';
    return [
      {
        id: id('attention/self/query/MatMul'),
        op: 'MatMul',
        weight: [384, 384],
        decision: { action: 'static', weight, capability },
      },
      {
        id: id('attention/self/value/MatMul'),
        op: 'MatMul',
        weight: [384, 384],
        decision: { action: 'matmul', weight, capability: 'ort-dynamic-matmul' },
      },
      { id: id('attention/output/Add'), op: 'Add', decision: { action: 'static', capability: 'ort-qlinear-add' } },
      {
        id: id('attention/self/MatMul_1'),
        op: 'MatMul',
        decision: { action: 'float', reason: { code: 'not-constant', text: 'neither operand is a constant' } },
      },
      {
        id: id('attention/output/LayerNorm/Pow'),
        op: 'Pow',
        decision: {
          action: 'float',
          reason: { code: 'recipe', text: 'Pow has no integer form with ranges from calibration' },
        },
      },
    ];
  }).flat();
  const table = { elementType: 'int8', granularity: 'row' } as const;
  return {
    version: 1,
    target: 'amd-zen-4',
    features: ['avx512f', 'avx512-vnni'],
    recipe: 'auto',
    valueInfo: 'drop',
    entries: [
      {
        id: '/bert/embeddings/word_embeddings/Gather',
        op: 'Gather',
        weight: [30522, 384],
        decision: { action: 'embedding', table, capability: 'ort-gather' },
      },
      ...entries,
    ],
    activations: [
      { id: 'a', scheme, parameters: { kind: 'own' } },
      { id: 'b', scheme, parameters: { kind: 'shared', with: 'a' } },
      { id: 'c', scheme, parameters: { kind: 'fixed', scale: 1 / 255, zeroPoint: 0 } },
    ],
    form: 'qdq',
  };
}

const verified: Verification = {
  status: 'verified',
  kernels: {
    expected: 37,
    found: { MatMulIntegerToFloat: 18, QLinearMatMul: 12, QLinearAdd: 7 },
    missing: [{ kind: 'Add', expected: 8, found: 7 }],
    stayedFloat: ['/bert/pooler/Add'],
    dequantizedEveryRun: ['/bert/pooler/MatMul'],
  },
  integers: {
    nodes: 30,
    notTapped: 6,
    outputs: 1_204_224,
    wrong: 3,
    worst: [{ node: '/q/MatMul', wrong: 3, outputs: 49_152, largest: 12 }],
  },
  cases: [
    { label: 'made-up inputs 1', outputs: [] },
    { label: 'reviews.jsonl 0', outputs: [] },
  ],
  outputs: [
    {
      name: 'last_hidden_state',
      relativeError: 0.0312,
      cosine: 0.99951,
      sameTop: 0.984,
      elements: 49_152,
      nonFinite: 0,
    },
    { name: 'pooler_output', relativeError: 0.012, cosine: 0.99993, sameTop: 1, elements: 384, nonFinite: 0 },
  ],
  speed: {
    originalMs: 12.41,
    quantizedMs: 4.93,
    speedup: 2.518,
    low: 2.47,
    high: 2.55,
    rounds: 41,
    verdict: 'faster',
    threads: 1,
    input: { input_ids: [1, 128], attention_mask: [1, 128] },
  },
  relativeError: 0.0312,
  cosine: 0.99951,
  notChecked: ['exactness of 6 integer products that no scalar leads out of'],
};

function encoder(layers: number): SessionReport {
  const plan = planOf(layers);
  return {
    name: 'model',
    input: 'all-MiniLM-L6-v2/onnx/model.onnx',
    output: 'all-MiniLM-L6-v2-int8/onnx/model_quantized.onnx',
    status: 'quantized',
    bytes: { before: 90_387_606, after: 22_972_370 },
    operators: countOperators(plan),
    left: groupFloat(plan),
    scaleFactor: 1.24,
    calibration: {
      method: { id: 'percentile', percentile: 99.999 },
      samples: 128,
      data: [
        {
          hash: '9f'.repeat(32),
          source: 'reviews.jsonl',
          ranges: [
            [0, 100],
            [200, 228],
          ],
        },
      ],
      madeUp: false,
      durationMs: 5312,
      tensors: tensorsOf(layers),
    },
    algorithms: [
      {
        id: 'smooth-quant',
        applied: 12,
        considered: 24,
        errorBefore: 0.0412,
        errorAfter: 0.0188,
        notes: ['12 × alpha 0.5', '12 × left: no gain'],
      },
      { id: 'bias-correction', applied: 0, considered: 24, errorBefore: 0, errorAfter: 0, notes: [] },
    ],
    notes: ['weights of 2 MatMul are shared'],
    verification: verified,
    plan,
  };
}

/** A second session with what the first does not show: nothing proved, made-up data, no histograms. */
function decoder(): SessionReport {
  const observation = { ...activations(5, 2, 0) };
  const { histogram: _, ...withoutHistogram } = observation;
  const { verification: __, algorithms: ___, ...rest } = encoder(1);
  return {
    ...rest,
    name: 'decoder_model',
    bytes: { before: 4_812_000, after: 0 },
    status: 'planned',
    calibration: {
      method: { id: 'moving-average' },
      samples: 16,
      data: [{ hash: '11'.repeat(32), source: 'made-up inputs', ranges: [[0, 16]] }],
      madeUp: true,
      durationMs: 0,
      tensors: [calibrated('/decoder/Add', withoutHistogram, { min: -5, max: 5 })],
    },
    verification: {
      status: 'unverified',
      reason: 'onnxruntime-node is not installed',
      hint: 'npm install onnxruntime-node',
    },
  };
}

/** A report as one of a sentence encoder with so many layers is. */
export const sampleReport = (layers = 6): QuantizeReport => ({
  schemaVersion: 1,
  target: { id: 'amd-zen-4', name: 'AMD Zen 4', backend: 'cpu', isThisMachine: true },
  cpu: 'AMD EPYC 9R14',
  recipe: 'auto',
  runtime: { id: 'onnxruntime-node', version: '1.23.2' },
  output: 'all-MiniLM-L6-v2-int8',
  published: true,
  sessions: [encoder(layers), decoder()],
  notes: ['tokenizer.json was copied'],
  snippet:
    "import { pipeline } from '@huggingface/transformers';\nconst run = await pipeline('feature-extraction', './all-MiniLM-L6-v2-int8', { dtype: 'q8' });",
  durationMs: 41_200,
});

export const sampleStatistics = (layers = 6): Statistics => ({
  version: 1,
  sessions: {
    model: {
      model: 'ab'.repeat(32),
      requests: 'cd'.repeat(32),
      data: [{ hash: '9f'.repeat(32), source: 'reviews.jsonl', ranges: [[0, 128]] }],
      samples: 128,
      tensors: {
        ...Object.fromEntries(tensorsOf(layers).map(({ id, observation }) => [id, observation])),
        '/never/seen': observationOf([Number.NaN]),
      },
    },
  },
});
