import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type ElementType, OptimumError, requiredInputs, type TensorData } from '@optimum/core';
import { loadModelSync, resolveModelInput } from '@optimum/core/node';

type Feeds = Record<string, TensorData>;
type Encode = (text: string, pair: string | undefined) => Feeds;

/**
 * Samples of a JSON-lines file: `"text"`, `{"text": …, "text_pair": …}`, or named tensors as nested lists.
 * Text is tokenized with the model folder's own tokenizer.
 * @throws E_DATA_INVALID with the line, E_IO
 */
export async function readData(path: string, model: string): Promise<Feeds[]> {
  if (!existsSync(path)) throw new OptimumError('E_IO', `${path}: there is no such file.`);
  const types = inputTypes(model);
  let encode: Encode | undefined;
  const samples: Feeds[] = [];
  for (const [index, line] of readFileSync(path, 'utf8').split('\n').entries()) {
    if (line.trim() === '') continue;
    const fail = (what: string): OptimumError =>
      new OptimumError('E_DATA_INVALID', `${path}:${index + 1}: ${what}.`, { context: { path, line: index + 1 } });
    const row = parse(line, fail);
    if (typeof row === 'string' || typeof row.text === 'string') {
      encode ??= await textEncoder(model, types);
      const text = typeof row === 'string' ? row : (row.text as string);
      samples.push(encode(text, typeof row === 'string' ? undefined : (row.text_pair as string | undefined)));
    } else samples.push(tensorsOf(row, types, fail));
  }
  if (samples.length === 0) throw new OptimumError('E_DATA_INVALID', `${path} holds no sample.`);
  return samples;
}

function parse(line: string, fail: (what: string) => OptimumError): string | Record<string, unknown> {
  let row: unknown;
  try {
    row = JSON.parse(line);
  } catch (error) {
    throw fail(`not JSON (${(error as Error).message})`);
  }
  if (typeof row === 'string') return row;
  if (typeof row === 'object' && row !== null && !Array.isArray(row)) return row as Record<string, unknown>;
  throw fail('expected text or an object');
}

/** Element types of every input of every session. */
function inputTypes(model: string): Map<string, ElementType> {
  const types = new Map<string, ElementType>();
  for (const { input } of resolveModelInput(model).sessions) {
    const loaded = loadModelSync(input);
    for (const { name, elementType } of requiredInputs(loaded.model))
      if (name && elementType) types.set(name, elementType);
    loaded.close();
  }
  return types;
}

async function textEncoder(model: string, types: ReadonlyMap<string, ElementType>): Promise<Encode> {
  const folder = statSync(model).isDirectory() ? model : dirname(model);
  const file = join(folder, 'tokenizer.json');
  if (!existsSync(file)) {
    throw new OptimumError('E_DATA_INVALID', `The data is text, but ${folder} has no tokenizer.json.`, {
      hint: 'Give named tensors, or a model folder with its tokenizer.',
    });
  }
  const { Tokenizer } = await import('@huggingface/tokenizers');
  const config = join(folder, 'tokenizer_config.json');
  const tokenizer = new Tokenizer(
    JSON.parse(readFileSync(file, 'utf8')),
    existsSync(config) ? JSON.parse(readFileSync(config, 'utf8')) : {},
  );
  return (text, pair) => {
    const encoded = tokenizer.encode(text, {
      ...(pair !== undefined && { text_pair: pair }),
      return_token_type_ids: true,
    });
    const lists: Record<string, readonly number[]> = {
      input_ids: encoded.ids,
      attention_mask: encoded.attention_mask,
      token_type_ids: encoded.token_type_ids ?? encoded.ids.map(() => 0),
      position_ids: encoded.ids.map((_, index) => index),
    };
    const known = Object.entries(lists).filter(([name]) => types.has(name));
    return Object.fromEntries(
      known.map(([name, list]) => [name, pack(list, [1, list.length], types.get(name) as ElementType)]),
    );
  };
}

function tensorsOf(
  row: Record<string, unknown>,
  types: ReadonlyMap<string, ElementType>,
  fail: (what: string) => OptimumError,
): Feeds {
  const feeds: Feeds = {};
  for (const [name, value] of Object.entries(row)) {
    const type = types.get(name);
    if (!type) throw fail(`"${name}" is no input of the model (it has ${[...types.keys()].join(', ')})`);
    const dims: number[] = [];
    for (let level: unknown = value; Array.isArray(level); level = level[0]) dims.push(level.length);
    const numbers = (Array.isArray(value) ? value.flat(Number.POSITIVE_INFINITY) : [value]).map(Number);
    if (numbers.length !== dims.reduce((a, b) => a * b, 1) || numbers.some(Number.isNaN))
      throw fail(`"${name}" is ragged or holds no numbers`);
    feeds[name] = pack(numbers, dims, type);
  }
  return feeds;
}

function pack(numbers: readonly number[], dims: readonly number[], elementType: ElementType): TensorData {
  const array =
    elementType === 'int64'
      ? BigInt64Array.from(numbers, BigInt)
      : elementType === 'int32'
        ? Int32Array.from(numbers)
        : elementType === 'float64'
          ? Float64Array.from(numbers)
          : elementType === 'bool' || elementType === 'uint8'
            ? Uint8Array.from(numbers)
            : Float32Array.from(numbers);
  return { elementType, dims, bytes: new Uint8Array(array.buffer) };
}
