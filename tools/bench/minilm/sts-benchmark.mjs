import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { core, onnxruntime, root } from '../lib/packages.mjs';
import { spearman } from '../lib/statistics.mjs';

/** @typedef {{ first: string, second: string, score: number }} Pair */

/** Pairs of sentences with the score that people gave them (CSV with quotes). @returns {Pair[]} */
export function readPairs(path) {
  return readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .map((line) => {
      const fields = Array.from(line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g), ([, quoted, plain]) =>
        quoted === undefined ? plain : quoted.replaceAll('""', '"'),
      );
      const [first, second, score] = fields;
      if (fields.length !== 3 || Number.isNaN(Number(score))) throw new Error(`${path}: not a pair: ${line}`);
      return { first, second, score: Number(score) };
    });
}

/** The tokenizer of a model folder, by the library that the product depends on. */
export function loadTokenizer(folder) {
  const { Tokenizer } = createRequire(join(root, 'packages/data/package.json'))('@huggingface/tokenizers');
  const read = (name) => JSON.parse(readFileSync(join(folder, name), 'utf8'));
  return new Tokenizer(read('tokenizer.json'), read('tokenizer_config.json'));
}

/** Spearman correlation of cosine similarities with the scores: batch 1, mean pooling over the mask. */
export async function scoreModel(path, tokenizer, pairs) {
  const session = await onnxruntime.createSession({ path }, { threads: 1 });
  const known = new Map();
  const embed = async (text) => {
    if (!known.has(text)) known.set(text, await embedding(session, tokenizer, text));
    return known.get(text);
  };
  try {
    const similarities = [];
    for (const { first, second } of pairs) similarities.push(cosine(await embed(first), await embed(second)));
    return spearman(
      similarities,
      pairs.map(({ score }) => score),
    );
  } finally {
    await session.close();
  }
}

async function embedding(session, tokenizer, text) {
  const encoded = tokenizer.encode(text, { return_token_type_ids: true });
  const lists = {
    input_ids: encoded.ids,
    attention_mask: encoded.attention_mask,
    token_type_ids: encoded.token_type_ids ?? encoded.ids.map(() => 0),
  };
  const { last_hidden_state: hidden } = await session.run(
    Object.fromEntries(Object.entries(lists).map(([name, list]) => [name, int64(list)])),
  );
  return meanPooled(core.numbersOf(hidden), encoded.attention_mask, hidden.dims.at(-1));
}

const int64 = (list) => ({
  elementType: 'int64',
  dims: [1, list.length],
  bytes: new Uint8Array(BigInt64Array.from(list, BigInt).buffer),
});

/** Mean over the tokens that the mask keeps. */
function meanPooled(hidden, mask, width) {
  const sum = new Float64Array(width);
  mask.forEach((kept, token) => {
    if (kept) for (let channel = 0; channel < width; channel++) sum[channel] += hidden[token * width + channel];
  });
  const count = mask.reduce((total, kept) => total + Number(kept), 0);
  return sum.map((value) => value / count);
}

function cosine(a, b) {
  let [product, squaresA, squaresB] = [0, 0, 0];
  for (let index = 0; index < a.length; index++) {
    product += a[index] * b[index];
    squaresA += a[index] ** 2;
    squaresB += b[index] ** 2;
  }
  return product / Math.sqrt(squaresA * squaresB);
}
