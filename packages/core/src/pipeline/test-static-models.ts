import { seededRandom } from '../foundation/index.ts';

/** Models in text with static integers, for tests. Ranges of weights and activations are the caller's. */
export interface StaticModelOptions {
  /** Magnitude of the weights, at most 127: 127 makes neighbours saturate where that happens, 64 never does. */
  readonly largestWeight?: number;
  /** Share of the weights at that magnitude, all of one sign; the others are spread evenly. */
  readonly extremes?: number;
  readonly weightType?: 'int8' | 'uint8';
  readonly seed?: number;
  /** One step of the output in 8 bits. @defaultValue 0.04 */
  readonly outputScale?: number;
}

export const header = '<ir_version: 8, opset_import: ["": 17, "com.microsoft": 1]>';

export const repeated = (count: number, value: number | string): string => `{${Array(count).fill(value).join()}}`;

/** Elements of a weight as text. */
export function weights(count: number, options: StaticModelOptions = {}): string {
  const { largestWeight = 127, extremes = 0, weightType = 'int8', seed = 3 } = options;
  const random = seededRandom(seed);
  const offset = weightType === 'uint8' ? 128 : 0;
  const draw = (): number =>
    random.next() < extremes ? largestWeight : random.integer(2 * largestWeight + 1) - largestWeight;
  return `{${Array.from({ length: count }, () => draw() + offset).join()}}`;
}

/** A weight with a scale for each channel along `channels`, and its bias in int32, as constants. */
export function weightConstants(dims: readonly number[], channels: number, options: StaticModelOptions = {}): string {
  const { weightType = 'int8' } = options;
  const count = dims.reduce((a, b) => a * b, 1);
  const scales = Array.from({ length: channels }, (_, index) => 0.001 * (index + 1));
  const biasScales = scales.map((scale) => Math.fround(Math.fround(0.02) * Math.fround(scale)));
  return [
    `${weightType}[${dims}] wq = ${weights(count, options)}`,
    `float[${channels}] ws = {${scales}}`,
    `${weightType}[${channels}] wz = ${repeated(channels, weightType === 'uint8' ? 128 : 0)}`,
    `int32[${channels}] bq = {${Array.from({ length: channels }, (_, index) => 300 * index - 1000)}}`,
    `float[${channels}] bs = {${biasScales}}`,
    `int32[${channels}] bz = ${repeated(channels, 0)}`,
  ].join(', ');
}

/** Scales and zero points of the activation (`s`, `z`) and of the output (`r`, `q`). */
export const parametersOf = ({ outputScale = 0.04 }: StaticModelOptions = {}): string =>
  `float s = {0.02}, uint8 z = {3}, float r = {${outputScale}}, uint8 q = {120}`;

const activation = 'xq = QuantizeLinear (x, s, z)  d = DequantizeLinear (xq, s, z)';
const weightAndBias = (axis: number): string =>
  `w = DequantizeLinear <axis = ${axis}> (wq, ws, wz)  b = DequantizeLinear <axis = 0> (bq, bs, bz)`;
const output = (of: string): string => `yq = QuantizeLinear (${of}, r, q)  y = DequantizeLinear (yq, r, q)`;

interface Convolution {
  readonly input: readonly number[];
  readonly filters: readonly number[];
  /** As written between `<` and `>`. */
  readonly attributes?: string;
  readonly hasBias?: boolean;
}

/** x → Conv → y, between QuantizeLinear and DequantizeLinear. */
export function convolutionModel(subject: Convolution, options: StaticModelOptions = {}): string {
  const { input, filters, attributes = '', hasBias = true } = subject;
  const constants = weightConstants(filters, filters[0] as number, options);
  const operator = `[conv] o = Conv ${attributes && `<${attributes}>`} (d, w${hasBias ? ', b' : ''})`;
  return `${header} g (float[${input}] x) => (y) <${parametersOf(options)}, ${constants}>
    { ${activation}  ${weightAndBias(0)}  ${operator}  ${output('o')} }`;
}

/** x[n, k] → MatMul or Gemm → y[n, m]; with `bytes` the product is quantized again. */
export function productModel(
  op: 'MatMul' | 'Gemm',
  [k, m]: readonly [number, number],
  bytes: boolean,
  options: StaticModelOptions = {},
): string {
  const operands = op === 'Gemm' ? '(d, w, b)' : '(d, w)';
  const end = bytes ? output('o') : 'y = Identity (o)';
  return `${header} g (float[n, ${k}] x) => (y) <${parametersOf(options)}, ${weightConstants([k, m], m, options)}>
    { ${activation}  ${weightAndBias(1)}  [product] o = ${op} ${operands}  ${end} }`;
}

/** x → ConvInteger → y, as Python's tool makes it. */
export function dynamicConvolutionModel({ input, filters, attributes = '' }: Convolution, options: StaticModelOptions) {
  const { weightType = 'int8' } = options;
  const count = filters.reduce((a, b) => a * b, 1);
  return `${header} g (float[${input}] x) => (y)
    <${weightType}[${filters}] w = ${weights(count, options)}, ${weightType} z = {${weightType === 'uint8' ? 117 : 0}}>
    { xq, xs, xz = DynamicQuantizeLinear (x)
      [conv] i = ConvInteger ${attributes && `<${attributes}>`} (xq, w, xz, z)  y = Cast <to = 1> (i) }`;
}
