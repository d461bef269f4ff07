import { createInterface } from 'node:readline/promises';
import { defaultFeatures } from './features.mjs';
import { checkOptions } from './options.mjs';

/** Asks for what the command line does not say, where there is somebody to ask. */
export async function ask(given) {
  if (given.id && given.vendor) return checkOptions(given);
  if (!process.stdin.isTTY || !process.stdout.isTTY) return checkOptions(given);
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  const question = async (key, text, standard = '') =>
    given[key] ?? ((await terminal.question(`${text}${standard && ` (${standard})`}: `)).trim() || standard);
  try {
    const id = await question('id', 'Id of the backend, as in --backend acme');
    const vendor = await question('vendor', 'Vendor, as the CPU names it');
    const architecture = await question('architecture', 'Architecture, x64 or arm64', 'x64');
    const features = await question('features', 'Features', defaultFeatures[architecture]?.join(','));
    return checkOptions({ ...given, id, vendor, architecture, features });
  } finally {
    terminal.close();
  }
}
