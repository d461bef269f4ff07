import type { WeightGrid } from './emulate-product.ts';
import type { Layer, LayerStatistics } from './layer-statistics.ts';

/** Activations are taken to reach so many of their root mean squares. */
const peakOverRms = 3;

/**
 * Relative error that int8 weights and a uint8 activation between them make in the outputs of the second of two layers,
 * from the weights alone: each channel of the activation is taken to be as large as the weights that make it, rounding
 * errors are uniform and independent. An estimate that ranks; 0 for layers that give nothing, NaN for weights that hold
 * NaN.
 */
export function estimatePairError(
  first: Layer,
  second: Layer,
  before: LayerStatistics,
  after: LayerStatistics,
  grid: WeightGrid,
): number {
  const peaks = before.outputMax;
  const energies = after.inputEnergy;
  const power = (channel: number): number => ((peaks[channel] as number) / peakOverRms) ** 2;
  const firstNoise = weightNoise(before.outputMax, first, grid);
  const activationNoise = uniformNoise(greatest(peaks) / 255);
  let signal = 0;
  let noise = 0;
  for (let channel = 0; channel < first.outputs; channel++) {
    const energy = energies[channel] as number;
    const made = before.outputEnergy[channel] as number;
    signal += energy * power(channel);
    noise += energy * activationNoise;
    if (made > 0) noise += (energy * power(channel) * (firstNoise[channel] as number)) / made;
  }
  const positions = second.weight.tensor.elementCount / (second.outputs * (second.inputs / second.groups));
  for (const [output, each] of weightNoise(after.outputMax, second, grid, 1).entries())
    noise += each * positions * seenPower(output, second, power);
  return signal > 0 ? Math.sqrt(noise / signal) : signal;
}

const greatest = (values: Float64Array): number => values.reduce((most, value) => Math.max(most, value), 0);

/** Mean square of an error that is uniform over one step. */
const uniformNoise = (step: number): number => step ** 2 / 12;

/** Energy of the rounding errors of each output channel's weights, or of `count` of them. */
function weightNoise(
  outputMax: Float64Array,
  { weight, outputs }: Layer,
  { granularity, range }: WeightGrid,
  count = weight.tensor.elementCount / outputs,
): Float64Array {
  const most = greatest(outputMax);
  const limit = range === 'reduced' ? 64 : 127;
  return outputMax.map((max) => count * uniformNoise((granularity === 'tensor' ? most : max) / limit));
}

/** Power of the inputs that an output channel sees. */
function seenPower(output: number, { inputs, outputs, groups }: Layer, power: (channel: number) => number): number {
  const groupInputs = inputs / groups;
  const start = Math.floor(output / (outputs / groups)) * groupInputs;
  let sum = 0;
  for (let channel = start; channel < start + groupInputs; channel++) sum += power(channel);
  return sum;
}
