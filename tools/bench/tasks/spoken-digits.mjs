import { join } from 'node:path';
import { zooFolder } from '../lib/subjects.mjs';
import { accuracyOf, floats } from './classification.mjs';
import { readSafetensors, sampleOf } from './safetensors.mjs';

/** Accuracy on the 300 official test clips. */
const score = (path) => accuracyOf(path, testSamples());

function testSamples() {
  const { log_mel: clips, labels } = readSafetensors(join(zooFolder(), 'data/fsdd-test.safetensors'));
  const dims = [1, ...clips.dims.slice(1)];
  return Array.from(labels.data, (label, index) => ({
    feeds: { log_mel: floats(dims, sampleOf(clips, index)) },
    label,
  }));
}

const task = (name, file) => ({
  name,
  metric: 'accuracy',
  tolerance: 0.003,
  model: () => join(zooFolder(), 'models', file),
  calibration: () => join(zooFolder(), 'data/fsdd-calibration.safetensors'),
  score,
});

export const spokenDigits = task('spoken digits', 'fsdd-kwt.onnx');

export const spokenDigitsOutliers = task('spoken digits, outliers', 'fsdd-outlier.onnx');
