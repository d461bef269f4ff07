import type { ConfigReader } from './config-reader.ts';
import type { TargetSize } from './resize-size.ts';
import type { PixelSize } from './rgb-image.ts';

/** Bounds of every edge in pixels. */
export const edgeBounds = { least: 1, most: 65_535 };

/**
 * What `size` (or `image_size`) asks for: `{ height, width }`, one of both (the other follows the aspect ratio),
 * `{ shortest_edge, longest_edge }`, or a number.
 */
export function readSize(reader: ConfigReader, notes: string[]): TargetSize | undefined {
  const value = reader.value('size', 'image_size');
  const longestOfNumber = reader.integer('max_size', edgeBounds);
  if (value === undefined) return undefined;
  if (typeof value === 'number') return sizeOfNumber(reader, value, longestOfNumber, notes);
  const edges = readEdges(reader, 'size', value, ['height', 'width', 'shortest_edge', 'longest_edge']);
  if (!edges) return undefined;
  const { height, width, shortest_edge: shortest, longest_edge: longest } = edges;
  if (shortest !== undefined || longest !== undefined) {
    if ((height ?? width) !== undefined)
      reader.problem('"size" gives edges by name and by length; one of both is meant');
    if (shortest !== undefined && longest !== undefined) notes.push(longestDecides(longest));
    return { kind: 'edges', shortest, longest };
  }
  if (height !== undefined && width !== undefined) return { kind: 'exact', height, width };
  if (height !== undefined) return { kind: 'one-edge', edge: 'height', length: height };
  if (width !== undefined) return { kind: 'one-edge', edge: 'width', length: width };
  reader.problem('"size" gives no edge');
  return undefined;
}

/** A number, or height and width, as `crop_size` and `pad_size` are. */
export function readFixedSize(reader: ConfigReader, key: string): PixelSize | undefined {
  const value = reader.value(key);
  if (value === undefined) return undefined;
  if (typeof value === 'number') {
    const length = reader.integerOf(key, value, edgeBounds);
    return length === undefined ? undefined : { width: length, height: length };
  }
  const edges = readEdges(reader, key, value, ['height', 'width']);
  if (!edges) return undefined;
  const { width, height } = edges;
  if (width !== undefined && height !== undefined) return { width, height };
  reader.problem(`"${key}" needs height and width`);
  return undefined;
}

function sizeOfNumber(reader: ConfigReader, value: number, longest: number | undefined, notes: string[]) {
  const shortest = reader.integerOf('size', value, edgeBounds);
  if (shortest === undefined) return undefined;
  notes.push(longestDecides(longest ?? shortest));
  return { kind: 'edges' as const, shortest, longest: longest ?? shortest };
}

const longestDecides = (longest: number): string =>
  `"size": the longer edge becomes ${longest} and the aspect ratio stays, as in transformers.js; Python's processors may do otherwise.`;

function readEdges<Key extends string>(reader: ConfigReader, key: string, value: unknown, known: readonly Key[]) {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    reader.problem(`"${key}" must be a number or an object with ${known.join(', ')}`);
    return undefined;
  }
  const edges: Partial<Record<Key, number | undefined>> = {};
  for (const [name, length] of Object.entries(value)) {
    const isKnown = known.includes(name as Key);
    if (isKnown) edges[name as Key] = reader.integerOf(`${key}.${name}`, length, edgeBounds);
    else if (length !== null) reader.unsupported(`${key}.${name}`, length);
  }
  return edges;
}
