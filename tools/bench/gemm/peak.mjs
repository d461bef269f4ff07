import { productsText, timeOf } from './one-op.mjs';

/** Square enough to keep every unit busy, small enough that weights and activations stay in the second-level cache. */
const shapes = [
  { rows: 128, depth: 768, columns: 768 },
  { rows: 256, depth: 768, columns: 768 },
  { rows: 512, depth: 768, columns: 512 },
  { rows: 384, depth: 512, columns: 1024 },
];

/** The most integer operations per second that the runtime's own kernel was seen to do on this CPU, in GOPS. */
export async function measuredPeak(repetitions) {
  const results = [];
  for (const shape of shapes) {
    const { rows, depth, columns } = shape;
    const microseconds = await timeOf(productsText(shape, 1), 'MatMulInteger', repetitions);
    results.push({ name: `${rows}×${depth}×${columns}`, gops: (2 * rows * depth * columns) / microseconds / 1e3 });
  }
  const best = results.reduce((most, one) => (one.gops > most.gops ? one : most));
  return { ...best, shapes: shapes.length, results };
}
