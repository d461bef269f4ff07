import { existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type ElementType, OptimumError, requiredInputs, type TensorData } from '@optimum/core';
import { loadModelSync, resolveModelInput } from '@optimum/core/node';
import { packTensor } from './pack-tensor.ts';
import { readJson, readText } from './read-text.ts';

type Feeds = Record<string, TensorData>;
type Encode = (text: string, pair: string | undefined) => Feeds;
type Fail = (what: string) => OptimumError;

/** Types and ranks of the inputs that each session has to be given. */
type SessionInputs = ReadonlyMap<string, { readonly elementType: ElementType; readonly rank: number | undefined }>;

/**
 * Samples of a JSON-lines file: `"text"`, `{"text": …, "text_pair": …}`, or named tensors as nested lists.
 * Text is tokenized with the model folder's own tokenizer.
 * @throws E_DATA_INVALID with the line, E_IO, E_CONFIG_SYNTAX for a broken tokenizer
 */
export async function readData(path: string, model: string): Promise<Feeds[]> {
  const text = readText(path);
  const sessions = sessionInputs(model);
  let encode: Encode | undefined;
  const samples: Feeds[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const fail: Fail = (what) =>
      new OptimumError('E_DATA_INVALID', `${path}:${index + 1}: ${what}.`, { context: { path, line: index + 1 } });
    const row = parse(line, fail);
    const isText = typeof row === 'string' || typeof row.text === 'string';
    if (isText) encode ??= await textEncoder(model, sessions);
    const feeds =
      isText && encode ? encodeRow(row, encode, fail) : tensorsOf(row as Record<string, unknown>, sessions, fail);
    requireUse(feeds, sessions, fail);
    samples.push(feeds);
  }
  if (samples.length === 0)
    throw new OptimumError('E_DATA_INVALID', `${path} holds no sample.`, {
      hint: 'Write one sample per line: "text", {"text": …} or {"input name": [[…]]}.',
    });
  return samples;
}

function parse(line: string, fail: Fail): string | Record<string, unknown> {
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

function sessionInputs(model: string): SessionInputs[] {
  return resolveModelInput(model).sessions.map(({ input }) => {
    const loaded = loadModelSync(input);
    try {
      return new Map(
        requiredInputs(loaded.model).flatMap(({ name, elementType, shape }) =>
          name && elementType ? [[name, { elementType, rank: shape?.length }] as const] : [],
        ),
      );
    } finally {
      loaded.close();
    }
  });
}

/** A sample that no session can be run on would be left out in silence. */
function requireUse(feeds: Feeds, sessions: readonly SessionInputs[], fail: Fail): void {
  const missing = sessions.map((inputs) => [...inputs.keys()].filter((name) => !(name in feeds)));
  if (missing.some((names) => names.length === 0)) return;
  const fewest = missing.reduce((a, b) => (b.length < a.length ? b : a), missing[0] ?? []);
  throw fail(`no value for ${fewest.map((name) => `"${name}"`).join(', ')}`);
}

async function textEncoder(model: string, sessions: readonly SessionInputs[]): Promise<Encode> {
  const folder = statSync(model).isDirectory() ? model : dirname(model);
  const file = join(folder, 'tokenizer.json');
  if (!existsSync(file)) {
    throw new OptimumError('E_DATA_INVALID', `The data is text, but ${folder} has no tokenizer.json.`, {
      hint: 'Give named tensors, or a model folder with its tokenizer.',
    });
  }
  const config = join(folder, 'tokenizer_config.json');
  const tokenizer = await openTokenizer(file, existsSync(config) ? config : undefined);
  const types = new Map(
    sessions.flatMap((inputs) => [...inputs].map(([name, { elementType }]) => [name, elementType])),
  );
  return (text, pair) => {
    const { ids, attention_mask, token_type_ids } = tokenizer.encode(text, {
      ...(pair !== undefined && { text_pair: pair }),
      return_token_type_ids: true,
    });
    const lists: Readonly<Record<string, readonly number[]>> = {
      input_ids: ids,
      attention_mask,
      token_type_ids: token_type_ids ?? ids.map(() => 0),
      position_ids: ids.map((_, index) => index),
    };
    const feeds: Feeds = {};
    for (const [name, list] of Object.entries(lists)) {
      const type = types.get(name);
      const tensor = type && packTensor([list], type);
      if (typeof tensor === 'object') feeds[name] = tensor;
    }
    return feeds;
  };
}

async function openTokenizer(file: string, config: string | undefined) {
  const { Tokenizer } = await import('@huggingface/tokenizers');
  const tokenizer = readJson(file) as ConstructorParameters<typeof Tokenizer>[0];
  const settings = (config ? readJson(config) : {}) as ConstructorParameters<typeof Tokenizer>[1];
  try {
    return new Tokenizer(tokenizer, settings);
  } catch (error) {
    throw new OptimumError('E_CONFIG_SCHEMA', `${file} is no tokenizer: ${(error as Error).message}.`, {
      cause: error,
      hint: 'Download it again, or give named tensors.',
    });
  }
}

function encodeRow(row: string | Record<string, unknown>, encode: Encode, fail: Fail): Feeds {
  const text = typeof row === 'string' ? row : (row.text as string);
  const pair = typeof row === 'string' ? undefined : row.text_pair;
  if (pair !== undefined && typeof pair !== 'string') throw fail('"text_pair" is no text');
  const other = typeof row === 'string' ? undefined : Object.keys(row).find((key) => !/^text(_pair)?$/.test(key));
  if (other !== undefined) throw fail(`"${other}" beside "text": give either text or named tensors`);
  try {
    return encode(text, pair);
  } catch (error) {
    throw fail(`the tokenizer fails on it (${(error as Error).message})`);
  }
}

function tensorsOf(row: Record<string, unknown>, sessions: readonly SessionInputs[], fail: Fail): Feeds {
  const known = new Map(sessions.flatMap((inputs) => [...inputs]));
  const feeds: Feeds = {};
  for (const [name, value] of Object.entries(row)) {
    const input = known.get(name);
    if (!input) throw fail(`"${name}" is no input of the model (it has ${[...known.keys()].join(', ')})`);
    const tensor = packTensor(value, input.elementType);
    if (typeof tensor === 'string') throw fail(`"${name}" ${tensor}`);
    if (input.rank !== undefined && tensor.dims.length !== input.rank)
      throw fail(`"${name}" has the dimensions [${tensor.dims.join(', ')}], expected ${input.rank} of them`);
    feeds[name] = tensor;
  }
  return feeds;
}
