import { join } from 'node:path';
import { zooFolder } from '../lib/subjects.mjs';
import { loadTokenizer, readPairs, scoreModel } from '../minilm/sts-benchmark.mjs';

const folder = () => join(zooFolder(), 'models/minilm');

/** Spearman correlation on the STS-B English dev set. Calibrated on sentences of another set, SST-2. */
export const sentences = {
  name: 'all-MiniLM-L6-v2',
  metric: 'Spearman',
  tolerance: 0.005,
  model: () => join(folder(), 'onnx/model.onnx'),
  calibration: () => join(zooFolder(), 'data/sst2-dev.tsv'),
  tokenizer: folder,
  score: (path) => scoreModel(path, loadTokenizer(folder()), readPairs(join(zooFolder(), 'data/stsb-en-dev.csv'))),
};
