import { existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UsageError } from './options.mjs';

const here = join(dirname(fileURLToPath(import.meta.url)), '../../..');

/** Root of the checkout that this program is part of, or `undefined` where it was installed from a registry. */
export function checkoutRoot() {
  const manifest = join(here, 'package.json');
  return existsSync(manifest) && JSON.parse(readFileSync(manifest, 'utf8')).name === 'optimum-typescript'
    ? here
    : undefined;
}

/** What a package outside of the checkout is built and tested with, and where the checkout has it. */
const libraries = {
  '@optimum/core': 'packages/core',
  '@optimum/runtime-onnxruntime': 'packages/runtime-onnxruntime',
  '@optimum/backend-testkit': 'packages/backend-testkit',
  'onnxruntime-node': 'packages/runtime-onnxruntime/node_modules/onnxruntime-node',
  typescript: 'node_modules/typescript',
  '@types/node': 'node_modules/@types/node',
  '.bin/tsc': 'node_modules/typescript/bin/tsc',
};

/** Fails before anything is written when the checkout is not built. */
export function requireBuilt(root) {
  for (const name of ['core', 'runtime-onnxruntime', 'backend-testkit']) {
    if (!existsSync(join(root, 'packages', name, 'dist/index.js')))
      throw new UsageError(`packages/${name} of this checkout is not built yet: npm start`);
  }
}

/** Gives a package the checkout's packages, so that it can be tried before anything is published. */
export function linkCheckout(root, folder) {
  for (const [name, path] of Object.entries(libraries)) {
    const link = join(folder, 'node_modules', name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(root, path), link, name.startsWith('.bin') ? 'file' : 'junction');
  }
}
