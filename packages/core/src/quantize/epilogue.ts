import { storedTensor } from '../analysis/index.ts';
import type { Node, Value } from '../ir/index.ts';
import { roundHalfEven } from '../kernels/index.ts';
import {
  type ActivationScheme,
  limitsOf,
  type QuantizationParameters,
  quantizationParameters,
  type Range,
} from '../observe/index.ts';
import { numbersOf } from './small-constant.ts';

/**
 * Relu, or Clip around zero, that alone reads the result of an operator. With an asymmetric scheme the integers of that
 * operator can end where it clips, and it is not needed.
 */
export function epilogueOf({ outputs, graph }: Node): Node | undefined {
  const [use, ...others] = outputs[0]?.uses ?? [];
  if (use?.kind !== 'input' || use.index !== 0 || others.length > 0 || use.node.graph !== graph) return undefined;
  const bounds = clippingOf(use.node);
  return bounds && bounds.min <= 0 && bounds.max >= 0 ? use.node : undefined;
}

/** What an operator clips to; `undefined` when it does not, or when its bounds are computed. */
export function clippingOf(node: Node): Range | undefined {
  if (node.is('Relu')) return { min: 0, max: Number.POSITIVE_INFINITY };
  if (!node.is('Clip')) return undefined;
  const min = boundOf(node, 1, 'min', Number.NEGATIVE_INFINITY);
  const max = boundOf(node, 2, 'max', Number.POSITIVE_INFINITY);
  return min === undefined || max === undefined || min > max ? undefined : { min, max };
}

/** Bounds were attributes before opset 11, and inputs since. */
function boundOf(node: Node, index: number, name: string, fallback: number): number | undefined {
  const value: Value | undefined = node.inputs[index];
  if (!value) return node.float(name, fallback);
  return storedTensor(value)?.elementCount === 1 ? numbersOf(value)?.[0] : undefined;
}

/** A number as an integer of the type. */
function quantize(number: number, { scale, zeroPoint }: QuantizationParameters, type: ActivationScheme['elementType']) {
  const { min, max } = limitsOf(type);
  return Math.min(max, Math.max(min, roundHalfEven(number / scale) + zeroPoint));
}

/**
 * Parameters with which integers clip as `bounds` do: the given ones where they do so already, else those of the part of
 * their range that lies within the bounds.
 */
export function withClipping(
  parameters: QuantizationParameters,
  scheme: ActivationScheme,
  bounds: Range,
): QuantizationParameters {
  const type = scheme.elementType;
  const { min, max } = limitsOf(type);
  const clips = quantize(bounds.min, parameters, type) === min && quantize(bounds.max, parameters, type) === max;
  if (clips) return parameters;
  const real = (integer: number): number => (integer - parameters.zeroPoint) * parameters.scale;
  return quantizationParameters({ min: Math.max(bounds.min, real(min)), max: Math.min(bounds.max, real(max)) }, scheme);
}
