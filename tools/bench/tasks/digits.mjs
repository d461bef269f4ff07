import { join } from 'node:path';
import { zooFolder } from '../lib/subjects.mjs';
import { accuracyOf, floats } from './classification.mjs';
import { readSafetensors, sampleOf } from './safetensors.mjs';

const [mean, deviation] = [0.1307, 0.3081];

const folder = () => join(zooFolder(), 'own/digits-vit');

/** Accuracy on the 1,500 digits that the model was not trained on. */
const score = (path) => accuracyOf(path, testSamples());

function testSamples() {
  const { images, labels } = readSafetensors(join(folder(), 'test.safetensors'));
  return Array.from(labels.data, (label, index) => ({
    feeds: {
      pixel_values: floats(
        [1, 1, 28, 28],
        Array.from(sampleOf(images, index), (pixel) => (pixel / 255 - mean) / deviation),
      ),
    },
    label,
  }));
}

const task = (name, model) => ({
  name,
  metric: 'accuracy',
  tolerance: 0.003,
  model,
  calibration: () => join(folder(), 'calibration.safetensors'),
  preprocessor: () => join(folder(), 'preprocessor_config.json'),
  score,
});

export const digits = task('digits ViT', () => join(folder(), 'onnx/model.onnx'));

export const digitsOutliers = [1, 4, 10, 16].map((planted) =>
  task(`digits ViT, ${planted} planted`, () =>
    join(zooFolder(), `own/digits-vit-outlier/onnx/model_outlier_${planted}.onnx`),
  ),
);
