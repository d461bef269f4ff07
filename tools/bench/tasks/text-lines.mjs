import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { core, root } from '../lib/packages.mjs';
import { zooFolder } from '../lib/subjects.mjs';
import { floats, withSession } from './classification.mjs';

const height = 48;
const folder = () => join(zooFolder(), 'data/ocr-lines');

/** What becomes of an image before the model sees it, as `preprocessor_config.json` says it. */
export const preprocessorConfig = {
  image_processor_type: 'ViTImageProcessor',
  do_resize: false,
  do_rescale: true,
  rescale_factor: 1 / 255,
  do_normalize: true,
  image_mean: [0.5, 0.5, 0.5],
  image_std: [0.5, 0.5, 0.5],
  do_flip_channel_order: true,
};

/** Character error rate on 100 rendered lines; blanks are ignored. Lower is better. */
async function score(path) {
  const keys = readFileSync(join(zooFolder(), 'models/ppocr-v4-rec.keys.txt'), 'utf8').split('\n');
  const rows = readFileSync(join(folder(), 'lines.jsonl'), 'utf8').trim().split('\n').map(JSON.parse);
  return withSession(path, async (session) => {
    let [wrong, total] = [0, 0];
    for (const { image, text } of rows) {
      const { softmax_11, ...rest } = await session.run({ x: await pixels(join(folder(), image)) });
      const output = softmax_11 ?? Object.values(rest)[0];
      const expected = text.replaceAll(' ', '');
      wrong += editDistance(expected, decode(core.numbersOf(output), output.dims.at(-1), keys));
      total += expected.length;
    }
    return wrong / total;
  });
}

/** [1, 3, 48, width], blue first. */
async function pixels(path) {
  const sharp = createRequire(join(root, 'packages/data/package.json'))('sharp');
  const { data, info } = await sharp(path)
    .removeAlpha()
    .toColourspace('srgb')
    .raw()
    .toBuffer({ resolveWithObject: true });
  if (info.height !== height || info.channels !== 3)
    throw new Error(`${path}: ${info.height} rows, ${info.channels} channels`);
  const area = info.width * info.height;
  const values = new Float32Array(3 * area);
  for (let channel = 0; channel < 3; channel++)
    for (let at = 0; at < area; at++) values[channel * area + at] = (data[at * 3 + 2 - channel] / 255 - 0.5) / 0.5;
  return floats([1, 3, info.height, info.width], values);
}

/** Best class of each step; repeats and blanks (class 0) fall out. */
function decode(numbers, classes, keys) {
  let [text, before] = ['', 0];
  for (let start = 0; start < numbers.length; start += classes) {
    let best = 0;
    for (let at = 1; at < classes; at++) if (numbers[start + at] > numbers[start + best]) best = at;
    if (best !== 0 && best !== before) text += keys[best - 1] ?? ' ';
    before = best;
  }
  return text.replaceAll(' ', '');
}

function editDistance(a, b) {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next.push(Math.min(next[j - 1] + 1, row[j] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1)));
    row = next;
  }
  return row[b.length];
}

export const textLines = {
  name: 'PP-OCRv4 recognition',
  metric: 'character error rate',
  lowerIsBetter: true,
  tolerance: 0.003,
  model: () => join(zooFolder(), 'models/ppocr-v4-rec.onnx'),
  calibration: folder,
  samples: 20,
  preprocessorConfig,
  score,
};
