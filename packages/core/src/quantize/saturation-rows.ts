import type { RowSample } from '../backend/index.ts';

/** Where a convolution of two spatial axes reads. */
export interface ConvolutionGeometry {
  /** [height, width] */
  readonly kernel: readonly [number, number];
  readonly strides: readonly [number, number];
  readonly dilations: readonly [number, number];
  /** [top, left, bottom, right] */
  readonly pads: readonly [number, number, number, number];
  readonly groups: number;
}

/**
 * The patches of an image batch [N, C, H, W] that a convolution multiplies, as rows of (height, width, channel) for each
 * group: what its kernel gathers. Padding is 0.
 */
export function convolutionRows(
  values: Float32Array,
  [batch, channels, height, width]: readonly [number, number, number, number],
  { kernel, strides, dilations, pads, groups }: ConvolutionGeometry,
): RowSample[] {
  const size = (axis: 0 | 1, length: number): number =>
    Math.floor(
      (length + pads[axis] + pads[(axis + 2) as 2 | 3] - dilations[axis] * (kernel[axis] - 1) - 1) / strides[axis],
    ) + 1;
  const [outHeight, outWidth] = [size(0, height), size(1, width)];
  const perGroup = channels / groups;
  const rowWidth = kernel[0] * kernel[1] * perGroup;
  return Array.from({ length: groups }, (_, group) => {
    const rows = new Float32Array(batch * outHeight * outWidth * rowWidth);
    let at = 0;
    for (let n = 0; n < batch; n++)
      for (let y = 0; y < outHeight; y++)
        for (let x = 0; x < outWidth; x++)
          for (let tap = 0; tap < kernel[0] * kernel[1]; tap++) {
            const row = y * strides[0] - pads[0] + Math.floor(tap / kernel[1]) * dilations[0];
            const column = x * strides[1] - pads[1] + (tap % kernel[1]) * dilations[1];
            const isInside = row >= 0 && row < height && column >= 0 && column < width;
            for (let c = 0; c < perGroup; c++, at++) {
              const plane = (n * channels + group * perGroup + c) * height;
              if (isInside) rows[at] = values[(plane + row) * width + column] as number;
            }
          }
    return { width: rowWidth, values: rows };
  });
}
