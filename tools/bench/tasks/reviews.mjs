import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { zooFolder } from '../lib/subjects.mjs';
import { loadTokenizer } from '../minilm/sts-benchmark.mjs';
import { accuracyOf, integers } from './classification.mjs';

/** Positions that the model has. */
const longest = 64;

/** Cut as transformers cuts: the last token stays. */
const shortened = (values) => (values.length > longest ? [...values.slice(0, longest - 1), values.at(-1)] : values);

const own = (name) => join(zooFolder(), 'own', name);

/** Accuracy on the 600 reviews that were held out. */
function scoreWith(folder) {
  return (path) => accuracyOf(path, samplesOf(folder));
}

function samplesOf(folder) {
  const tokenizer = loadTokenizer(folder);
  const lines = readFileSync(join(folder, 'test.tsv'), 'utf8').trim().split('\n');
  return lines.map((line) => {
    const [text, label] = line.split('\t');
    const { ids, attention_mask, token_type_ids } = tokenizer.encode(text, { return_token_type_ids: true });
    const list = (values) => integers([1, Math.min(values.length, longest)], shortened(values));
    return {
      feeds: {
        input_ids: list(ids),
        attention_mask: list(attention_mask),
        token_type_ids: list(token_type_ids ?? ids.map(() => 0)),
      },
      label: Number(label),
    };
  });
}

const task = (name, folder, model) => ({
  name,
  metric: 'accuracy',
  tolerance: 0.003,
  model,
  calibration: () => join(folder(), 'train.tsv'),
  tokenizer: folder,
  score: (path) => scoreWith(folder())(path),
});

export const reviews = task(
  'reviews BERT',
  () => own('reviews-bert-256'),
  () => join(own('reviews-bert-256'), 'onnx/model.onnx'),
);

export const reviewsOutliers = [1, 4, 10].map((planted) =>
  task(
    `reviews BERT, ${planted} planted`,
    () => own('reviews-bert'),
    () => join(own('reviews-bert-outlier'), `onnx/model_outlier_${planted}.onnx`),
  ),
);
