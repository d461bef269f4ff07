/**
 * Every benchmark with what it shows, what it should reach, and its default number of rounds.
 *
 * @typedef {object} Benchmark
 * @property {string} name
 * @property {string} what
 * @property {string} [reach]
 * @property {number} rounds
 * @property {() => Promise<{ run: (context: object) => Promise<import('./lib/render.mjs').BenchResult> }>} load
 */

/** @type {readonly Benchmark[]} */
export const benchmarks = [
  {
    name: 'quantize-speed',
    what: 'the whole command against cp of its input: wall time and peak memory',
    reach: 'bert-base at most 2.2× cp with one thread and 1.8× with two; large at most 1.2×; at most 100 MB resident',
    rounds: 7,
    load: () => import('./quantize-speed.mjs'),
  },
  {
    name: 'python-opponent',
    what: "the same scheme by Python's quantize_dynamic, side by side: wall time and peak memory",
    reach: 'per channel at least 15× faster and 12× leaner',
    rounds: 3,
    load: () => import('./python-opponent.mjs'),
  },
  {
    name: 'parity',
    what: "what is bit-identical to Python's files: weights, nodes, value_info, outputs at every optimization level",
    reach: 'everything identical for both compatible recipes',
    rounds: 0,
    load: () => import('./parity.mjs'),
  },
  {
    name: 'latency',
    what: 'int8 against float32 of bert-base at 1×128, one thread, and its wrong integer outputs',
    reach: 'at least 3.1× with VNNI, 1.75× with AVX2; 0 wrong integer outputs',
    rounds: 25,
    load: () => import('./latency.mjs'),
  },
  {
    name: 'fastest-opponent',
    what: "our fastest file of bert-base at 1×128, one thread, against every file that Python's tools make of it; errors and wrong integers side by side",
    reach:
      "against float32 at least 3.1× with VNNI, 1.75× with AVX2; against Python's fastest at least 1.05× with VNNI, 1.0× with AVX2; 0 wrong integer outputs",
    rounds: 15,
    load: () => import('./fastest-opponent.mjs'),
  },
  {
    name: 'gemm-share',
    what: 'share of the measured integer peak in each shape of integer product of bert-base at 1×128, one thread, and where the rest goes',
    reach: 'a shape below 80 % is explained',
    rounds: 40,
    load: () => import('./gemm-share.mjs'),
  },
  {
    name: 'minilm-accuracy',
    what: 'STS-B Spearman of all-MiniLM-L6-v2 by target, and of its outlier variants',
    reach: 'within 0.005 of float32 everywhere',
    rounds: 0,
    load: () => import('./minilm-accuracy.mjs'),
  },
  {
    name: 'zoo',
    what: 'every model of the zoo: verdict, integer operators, size, error, speed, wrong integer outputs',
    reach: 'no failure, none larger than its input, no wrong integer output, ALBERT 75 of 75 MatMuls',
    rounds: 0,
    load: () => import('./zoo.mjs'),
  },
  {
    name: 'emulated-avx2',
    what: 'wrong integer outputs on an emulated CPU without VNNI, by kind of weights (needs qemu-user)',
    reach: '0 wrong with pair-aware weights',
    rounds: 0,
    load: () => import('./emulated-avx2.mjs'),
  },
  {
    name: 'saturating-layers',
    what: 'layers predicted to saturate without VNNI against those that really do (needs qemu-user on a CPU with VNNI)',
    reach: 'no layer missed, none called that cannot',
    rounds: 0,
    load: () => import('./saturating-layers.mjs'),
  },
  {
    name: 'calibration',
    what: "percentile and entropy calibration of bert-base at 1×128, against bare inference and Python's calibrators",
    reach:
      'at most 1.25× of bare inference and 0.5 s of set-up, memory flat and at most 1 GB; at least 2.5× faster and 5× leaner than Python',
    rounds: 2,
    load: () => import('./calibration.mjs'),
  },
  {
    name: 'calibration-memory',
    what: 'peak memory of calibrating a small model on 10, 1000 and 10 000 samples',
    reach: '10 000 samples at most 1.1× the memory of 10',
    rounds: 3,
    load: () => import('./calibration-memory.mjs'),
  },
  {
    name: 'modes',
    what: 'dynamic, static and auto side by side on the models of the zoo that have a score',
    reach:
      'within 0.003 of float32 (MiniLM 0.005), PP-OCRv4 in mode auto within 0.003 and faster than float32, auto never slower',
    rounds: 0,
    load: () => import('./modes.mjs'),
  },
  {
    name: 'outliers',
    what: 'models with planted outliers, with and without SmoothQuant',
    reach: 'spoken digits at least 0.990 with SmoothQuant, dynamic and static',
    rounds: 0,
    load: () => import('./outliers.mjs'),
  },
  {
    name: 'prediction',
    what: 'speed-up predicted from the table of optimum probe against measured, over the zoo at two lengths',
    reach: 'within 15 % in at least 90 % of cases',
    rounds: 0,
    load: () => import('./prediction.mjs'),
  },
  {
    name: 'a-against-a',
    what: 'optimum benchmark of a model against itself, many times: what it calls faster where nothing is',
    reach: 'ratio 1.00 ± 0.02; the 95 % interval holds 1 in at least 90 of 100 runs',
    rounds: 100,
    load: () => import('./a-against-a.mjs'),
  },
  {
    name: 'retarget',
    what: 'files that Python tools publish, retargeted to this CPU: both in one run, and their errors side by side',
    reach:
      'VNNI: u8→s8 ≥ 1.7× and bit-identical, s8s8→u8s8 ≥ 3×, accuracy level ≥ 1.2×; AVX2: u8→pair-aware s8 ≥ 1.1× at no more error than 7-bit, no wrong integer output',
    rounds: 15,
    load: () => import('./retarget.mjs'),
  },
  {
    name: 'help-startup',
    what: 'optimum --help against a bare node',
    reach: 'at most 1.5×',
    rounds: 25,
    load: () => import('./help-startup.mjs'),
  },
  {
    name: 'discovery',
    what: 'start of the program with none, one and ten backends among the dependencies of the project',
    reach: 'with ten at most 1.1× of none',
    rounds: 15,
    load: () => import('./discovery.mjs'),
  },
  {
    name: 'emulated-arm',
    what: 'a model made here for Arm, run on emulated Neoverse cores: integer sums and outputs (needs qemu-user)',
    reach: '0 wrong integer outputs on every core',
    rounds: 0,
    load: () => import('./emulated-arm.mjs'),
  },
];
