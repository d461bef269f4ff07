import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkoutRoot, linkCheckout, requireBuilt } from './checkout.mjs';
import { cpuInfoOf, featuresOf } from './features.mjs';
import { UsageError } from './options.mjs';

const templates = join(dirname(fileURLToPath(import.meta.url)), '../template');

/**
 * Writes the package. Nothing is overwritten.
 *
 * @param {import('./options.mjs').Choices} choices
 * @returns {{ folder: string, name: string, next: string[] }} with the commands that come next
 */
export function makePackage(choices) {
  const root = checkoutRoot();
  const folder = resolve(choices.dir ?? (choices.package ?? `backend-${choices.id}`).replace(/^@.*\//, ''));
  const isInside = root !== undefined && dirname(folder) === join(root, 'packages');
  const name = choices.package ?? `${isInside ? '@optimum/' : ''}backend-${choices.id}`;
  if (existsSync(folder) && readdirSync(folder).length > 0)
    throw new UsageError(`${folder} is there already, and is not empty. Name another one with --dir.`);
  if (root && !isInside) requireBuilt(root);
  const values = valuesOf({ ...choices, name });
  for (const kind of ['shared', isInside ? 'workspace' : 'standalone']) write(join(templates, kind), folder, values);
  if (root && !isInside) linkCheckout(root, folder);
  return { folder, name, next: nextSteps(folder, { root, isInside }) };
}

function nextSteps(folder, { root, isInside }) {
  if (isInside) return ['npm start    (installs and builds)', `npx vitest run ${folder}`, 'see docs/partners.md'];
  const test = root ? ['npm test    (linked to this checkout)'] : ['npm install', 'npm test'];
  return [
    `cd ${folder}`,
    ...test,
    'put your rows into targets.json, and the /proc/cpuinfo of your machines into machines/',
  ];
}

/** What stands for `{{name}}` in the templates. */
function valuesOf({ id, name, vendor, architecture, features }) {
  const flags = [...new Set(features.flatMap((feature) => featuresOf[architecture][feature]))];
  return {
    id,
    package: name,
    vendor: JSON.stringify(vendor).slice(1, -1),
    vendorText: vendor,
    architecture,
    features: features.map((feature) => JSON.stringify(feature)).join(', '),
    flags: flags.map((flag) => JSON.stringify(flag)).join(', '),
    families: architecture === 'x64' ? ' "families": [1],' : '',
    cpuInfo: cpuInfoOf({ architecture, vendor, features }),
  };
}

/** Copies a folder of templates; `NAME.template` becomes `NAME`. */
function write(from, to, values) {
  for (const path of readdirSync(from, { recursive: true })) {
    if (!path.endsWith('.template')) continue;
    const text = readFileSync(join(from, path), 'utf8').replace(/\{\{(\w+)\}\}/g, (_, key) => values[key]);
    const target = join(
      to,
      path
        .replace(/\.template$/, '')
        .replace(/^gitignore$/, '.gitignore')
        .replace('ID-', `${values.id}-`),
    );
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, text, { flag: 'wx' });
  }
}
