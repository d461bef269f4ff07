import { type ByteSource, OptimumError, portableNameProblem, quote, readBytes } from '../foundation/index.ts';
import { type Model, sameBytes, type Tensor, type TensorJob, walkGraphs } from '../ir/index.ts';
import { encodeModel } from './encode-model.ts';
import { inline, type PlaceExternal } from './encode-tensor.ts';
import { originals } from './originals.ts';
import type { Range } from './wire-reader.ts';
import type { MessageWriter } from './wire-writer.ts';

/** One stretch of an output file at its final position. */
export type Segment =
  | { readonly kind: 'bytes'; readonly position: number; readonly byteLength: number; readonly bytes: Uint8Array }
  | {
      readonly kind: 'copy';
      readonly position: number;
      readonly byteLength: number;
      readonly source: ByteSource;
      readonly offset: number;
    }
  | {
      readonly kind: 'part';
      readonly position: number;
      readonly byteLength: number;
      readonly job: TensorJob;
      readonly part: number;
    };

export interface PlannedFile {
  readonly byteLength: number;
  readonly segments: readonly Segment[];
}

/** Everything about the files to write, with all sizes, before any weight is touched. */
export interface WritePlan {
  readonly model: PlannedFile;
  readonly external?: (PlannedFile & { readonly location: string }) | undefined;
}

export interface WriteOptions {
  /** Puts weights into a file of their own beside the model, named `location` in it. */
  readonly external?: { readonly location: string; readonly minimumByteLength?: number } | undefined;
  /** Leaves weights where they are: the model points into the file that `locate` names for their source, if any. */
  readonly slim?: { readonly locate: (source: ByteSource) => string | undefined } | undefined;
}

/** Tensors below this stay in the model file: the entry would cost as much. */
const minimumExternal = 1024;

/** Large weights start on a page, so that the runtime can map them; small ones on a cache line. */
const alignmentOf = (byteLength: number): number => (byteLength >= 1 << 20 ? 4096 : 64);

/**
 * Plans the files of a model. Nothing is read but names and small tensors.
 * @throws E_USAGE when the name of the external file is no portable relative path
 */
export function planWrite(model: Model, options: WriteOptions = {}): WritePlan {
  const external = options.external && new ExternalFile(options.external.location, options.external.minimumByteLength);
  // Functions are left out: what nobody edited in them is written as it was.
  if (external)
    for (const graph of walkGraphs(model.graph))
      for (const tensor of tensorsOf(graph.initializers)) external.place(tensor);
  const place: PlaceExternal = (tensor) => slimPlace(tensor, options.slim) ?? external?.placeOf(tensor);
  const encoded = encodeModel(model, external || options.slim ? place : inline);
  return { model: layOut(encoded), ...(external && { external: external.file() }) };
}

function* tensorsOf(
  initializers: Iterable<{ origin: { kind: string; tensor?: Tensor; fallback?: Tensor | undefined } }>,
): Iterable<Tensor> {
  for (const { origin } of initializers) {
    const tensor = origin.tensor ?? origin.fallback;
    if (tensor) yield tensor;
  }
}

function slimPlace(tensor: Tensor, slim: WriteOptions['slim']) {
  const { backing } = tensor;
  if (!slim || backing.kind !== 'range' || backing.byteLength < minimumExternal) return undefined;
  const location = slim.locate(backing.source);
  return location === undefined ? undefined : { location, offset: backing.offset, byteLength: backing.byteLength };
}

/** Lays weights out one after another; the same bytes under two names are stored once. */
class ExternalFile {
  readonly #location: string;
  readonly #minimum: number;
  readonly #places = new Map<Tensor, { location: string; offset: number; byteLength: number }>();
  readonly #stored: Tensor[] = [];
  #end = 0;

  constructor(location: string, minimum = minimumExternal) {
    const problem = portableNameProblem(location);
    if (problem) throw new OptimumError('E_USAGE', `External data cannot be named ${quote(location)}: ${problem}.`);
    this.#location = location;
    this.#minimum = minimum;
  }

  place(tensor: Tensor): void {
    const { byteLength } = tensor;
    if (byteLength < this.#minimum || tensor.elementType === 'string' || this.#places.has(tensor)) return;
    // What is sparse in the file stays so, and in it.
    if (originals.sparse.has(tensor)) return;
    const twin = this.#stored.find((other) => sameBytes(other, tensor));
    const twinPlace = twin && this.#places.get(twin);
    if (twinPlace) {
      this.#places.set(tensor, twinPlace);
      return;
    }
    const alignment = alignmentOf(byteLength);
    const offset = Math.ceil(this.#end / alignment) * alignment;
    this.#places.set(tensor, { location: this.#location, offset, byteLength });
    this.#stored.push(tensor);
    this.#end = offset + byteLength;
  }

  placeOf(tensor: Tensor) {
    return this.#places.get(tensor);
  }

  file(): PlannedFile & { location: string } {
    const segments = this.#stored.map((tensor) => segmentOf(tensor, this.#places.get(tensor)?.offset ?? 0));
    return { location: this.#location, byteLength: this.#end, segments };
  }
}

function segmentOf(tensor: Tensor, position: number): Segment {
  const { backing, byteLength } = tensor;
  if (backing.kind === 'range')
    return { kind: 'copy', position, byteLength, source: backing.source, offset: backing.offset };
  if (backing.kind === 'computed') return { kind: 'part', position, byteLength, job: backing.job, part: backing.part };
  return { kind: 'bytes', position, byteLength, bytes: tensor.bytes() };
}

/** Gives every part its position; neighbouring small pieces become one. */
function layOut(encoded: MessageWriter): PlannedFile {
  const segments: Segment[] = [];
  let position = 0;
  let pending: Uint8Array[] = [];
  let pendingLength = 0;
  const flush = (): void => {
    if (pendingLength === 0) return;
    segments.push({ kind: 'bytes', position, byteLength: pendingLength, bytes: join(pending, pendingLength) });
    position += pendingLength;
    pending = [];
    pendingLength = 0;
  };
  const small = new SmallReader();
  for (const part of encoded.parts) {
    const bytes = part instanceof Uint8Array ? part : part.kind === 'copy' ? small.read(part.range) : undefined;
    if (bytes) {
      pending.push(bytes);
      pendingLength += bytes.byteLength;
      continue;
    }
    if (part instanceof Uint8Array) continue;
    flush();
    const byteLength = part.kind === 'copy' ? part.range.byteLength : part.byteLength;
    if (part.kind === 'copy')
      segments.push({ kind: 'copy', position, byteLength, source: part.range.source, offset: part.range.offset });
    else segments.push({ kind: 'part', position, byteLength, job: part.job, part: part.part });
    position += byteLength;
  }
  flush();
  return { byteLength: encoded.byteLength, segments };
}

/** Encoded pieces below this are read while planning: attributes and types by the thousand, each too small to copy alone. */
const smallByteLength = 4096;
const windowByteLength = 65_536;

/** Reads small ranges through a window, because they lie beside each other in the file. */
class SmallReader {
  #source: ByteSource | undefined;
  #start = 0;
  #window: Uint8Array = new Uint8Array();

  /** The bytes, or `undefined` for a range that is not small. */
  read({ source, offset, byteLength }: Range): Uint8Array | undefined {
    if (byteLength >= smallByteLength) return undefined;
    const at = offset - this.#start;
    if (source === this.#source && at >= 0 && at + byteLength <= this.#window.byteLength)
      return this.#window.subarray(at, at + byteLength);
    this.#source = source;
    this.#start = offset;
    this.#window = readBytes(source, offset, Math.min(windowByteLength, source.byteLength - offset));
    return this.#window.subarray(0, byteLength);
  }
}

function join(pieces: readonly Uint8Array[], byteLength: number): Uint8Array {
  const joined = new Uint8Array(byteLength);
  let at = 0;
  for (const piece of pieces) {
    joined.set(piece, at);
    at += piece.byteLength;
  }
  return joined;
}
