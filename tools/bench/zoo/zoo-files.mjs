import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { unpackedZoo, zooFolder } from '../lib/subjects.mjs';

/** @typedef {{ name: string, group: string, path: string }} ZooFile */

/** Every float model of the zoo: the real ones, our own, and one of each export. @returns {ZooFile[]} */
export function zooFiles() {
  const zoo = zooFolder();
  const real = ['models', 'own'].flatMap((group) =>
    onnxBelow(join(zoo, group)).map((name) => ({ name: `${group}/${name}`, group, path: join(zoo, group, name) })),
  );
  const exports = unpackedZoo('exports/exports.tar.xz');
  const exported = onnxBelow(exports).map((name) => ({ name, group: exporterOf(name), path: join(exports, name) }));
  return [...real, ...exported];
}

const onnxBelow = (folder) =>
  readdirSync(folder, { recursive: true })
    .filter((name) => name.endsWith('.onnx'))
    .sort();

/** `bert.masked-lm.legacy17.eager.onnx` is of the group `legacy`. */
const exporterOf = (name) => /\.(legacy|dynamo)\d+\./.exec(name)?.[1] ?? 'exports';
