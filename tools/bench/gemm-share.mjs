import { join } from 'node:path';
import { isFusable, timeApart } from './gemm/apart.mjs';
import { measuredPeak } from './gemm/peak.mjs';
import { integerProducts } from './gemm/products.mjs';
import { runMeasured } from './lib/measured-process.mjs';
import { program } from './lib/packages.mjs';
import { generatedModel, withMemoryFolder } from './lib/subjects.mjs';

const sequence = 128;
const seed = 20_260_101;
/** A share of the peak below this must be explained. */
const leastShare = 0.8;
/** By how much of its time the parts of a product may miss it, before they explain nothing. */
const tolerance = 0.1;

/** How near the integer products of bert-base come to what this CPU can do, shape by shape, and where the rest goes. */
export async function run({ rounds, log }) {
  const input = await generatedModel('bert-base', log);
  return withMemoryFolder(async (folder) => {
    log('the peak');
    const peak = await measuredPeak(rounds);
    log('quantizing and profiling bert-base');
    const output = join(folder, 'model.onnx');
    await runMeasured(process.execPath, [program, 'quantize', input, '-o', output, '--no-verify', '--quiet']);
    const products = await integerProducts(output, { sequence, seed, repetitions: rounds });
    const shapes = products.map((product) => ({ ...product, share: product.gops / peak.gops }));
    const parts = [];
    for (const shape of shapes.filter(({ op }) => isFusable(op))) {
      log(`taking apart ${nameOf(shape)}`);
      parts.push({ shape, ...(await timeApart(shape, rounds)) });
    }
    return resultOf(peak, shapes, parts, rounds);
  });
}

const nameOf = ({ op, rows, depth, columns, batch }) =>
  `${op} ${batch > 1 ? `${batch}×` : ''}${rows}×${depth}×${columns}`;

const gops = ({ operations }, microseconds) => operations / microseconds / 1e3;

function resultOf(peak, shapes, parts, rounds) {
  const integer = shapes.reduce((sum, { microseconds, nodes }) => sum + microseconds * nodes, 0);
  const operations = shapes.reduce((sum, shape) => sum + shape.operations * shape.nodes, 0);
  const total = operations / integer / 1e3;
  return {
    rounds,
    tables: [
      {
        title: 'Integer products of bert-base',
        columns: ['operator, M×K×N', 'nodes', 'each', 'GOPS', 'share of the peak', 'all of them'],
        rows: [
          ...shapes.map((shape) => [
            nameOf(shape),
            String(shape.nodes),
            `${shape.microseconds.toFixed(0)} µs`,
            shape.gops.toFixed(0),
            percent(shape.share),
            `${((shape.microseconds * shape.nodes) / 1e3).toFixed(1)} ms`,
          ]),
          [
            'all',
            String(shapes.reduce((sum, { nodes }) => sum + nodes, 0)),
            '',
            total.toFixed(0),
            percent(total / peak.gops),
            `${(integer / 1e3).toFixed(1)} ms`,
          ],
        ],
      },
      ...(parts.length > 0 ? [partsTable(peak, parts)] : []),
    ],
    notes: [
      `Peak: ${peak.gops.toFixed(0)} GOPS (a multiplication and an addition are two), MatMulInteger u8 × s8 at ${peak.name} with its weights in the cache, the best of ${peak.shapes} shapes. Times are the shortest of ${rounds} runs of each node, by the profiler of the runtime (its step is 1 µs), their mean over the nodes of a shape.`,
      'Taken apart: the same product alone with its weights in the cache; what it costs more when each of 36 products has weights of its own, as in a model; and what the fused operator adds (making activations integers, sums of rows and columns, scales and bias). What is left is the difference to the time in the model.',
    ],
    failures: failuresOf(shapes, parts),
    data: { peak, shapes, parts },
  };
}

const percent = (share) => `${(100 * share).toFixed(0)} %`;

const partsTable = (peak, parts) => ({
  title: 'Each product taken apart',
  columns: [
    'operator, M×K×N',
    'in the model',
    'at the peak',
    'below the peak, weights in cache',
    'weights from memory',
    'quantize, scales, bias',
    'left',
  ],
  rows: parts.map(({ shape, hot, cold, fused, left }) => {
    const atPeak = shape.operations / peak.gops / 1e3;
    const cell = (microseconds) => `${microseconds.toFixed(0)} µs (${percent(microseconds / shape.microseconds)})`;
    return [
      nameOf(shape),
      `${shape.microseconds.toFixed(0)} µs`,
      cell(atPeak),
      `${cell(hot - atPeak)}: ${gops(shape, hot).toFixed(0)} GOPS`,
      cell(cold - hot),
      cell(fused - hot),
      cell(left),
    ];
  }),
});

/** A shape is explained when its parts add up to its time. */
function failuresOf(shapes, parts) {
  const explained = new Map(parts.map(({ shape, left }) => [shape, Math.abs(left) <= tolerance * shape.microseconds]));
  return shapes
    .filter((shape) => shape.share < leastShare && !explained.get(shape))
    .map(
      (shape) =>
        `${nameOf(shape)} reaches ${percent(shape.share)} of the peak, and its parts do not add up to its time`,
    );
}
