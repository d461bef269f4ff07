import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { defaultSeed, generateModel } from '../generate-model.mjs';
import { root } from './packages.mjs';
import { benchFolder, zooSetting } from './settings.mjs';

const zoo = zooSetting ?? join(root, '../shared/zoo');

/** A folder of the bench folder, made when it is not there. */
export function cacheFolder(...names) {
  const folder = join(benchFolder, ...names);
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** Path of a generated model; it is made when it is not there, and again when the generator has changed. */
export async function generatedModel(size, log = () => {}) {
  const folder = cacheFolder('models', `${size}-${defaultSeed}-${generatorHash()}`);
  const path = join(folder, `${size}.onnx`);
  if (existsSync(path)) return path;
  log(`generating ${size}`);
  await generateModel(size, path);
  return path;
}

function generatorHash() {
  const folder = join(root, 'tools/bench/model');
  const hash = createHash('sha256');
  for (const name of readdirSync(folder).sort())
    if (name.endsWith('.mjs')) hash.update(readFileSync(join(folder, name)));
  return hash.digest('hex').slice(0, 8);
}

/** The files of a model: itself, and external data beside it. */
export const filesOfModel = (path) => [path, `${path}_data`].filter((file) => existsSync(file));

/** Runs work with a folder on a memory file system (where there is one), removed afterwards. */
export async function withMemoryFolder(work) {
  const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'optimum-bench-'));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Reads files through once, so that they are in the page cache. */
export function warmCache(paths) {
  const buffer = new Uint8Array(1 << 20);
  for (const path of paths) {
    const file = openSync(path, 'r');
    while (readSync(file, buffer) > 0);
    closeSync(file);
  }
}

/** The zoo of real models. @throws when it is not there */
export function zooFolder() {
  if (existsSync(zoo)) return zoo;
  throw new Error(`The zoo is not in ${zoo}: set OPTIMUM_ZOO to where it is.`);
}

/** A text without the places of this machine: reports are kept. */
export function withoutPlaces(text) {
  const places = [zoo, benchFolder, root];
  const shorter = places.reduce((rest, place) => rest.replaceAll(`${place}/`, ''), text);
  return shorter.replace(/\/(?:dev\/shm|tmp)\/optimum-[\w.-]+\//g, '');
}

/** Contents of an archive of the zoo, unpacked once. */
export function unpackedZoo(archive) {
  const folder = join(cacheFolder('zoo'), basename(archive, '.tar.xz'));
  if (existsSync(folder)) return folder;
  const staging = mkdtempSync(join(dirname(folder), 'unpacking-'));
  execFileSync('tar', ['-xJf', join(zooFolder(), archive), '-C', staging]);
  renameSync(staging, folder);
  return folder;
}
