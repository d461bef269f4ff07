import { existsSync, lstatSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { OptimumError } from '../foundation/index.ts';
import { walkValues } from '../ir/index.ts';
import { loadModelSync } from './load-model.ts';
import type { ModelInput } from './model-folder.ts';

/**
 * An output must not be the input, hold it, or replace a file that it reads, whatever links lead there; and the folder
 * of a result must not lie in the folder that is treated, which the next run would copy.
 * @throws E_USAGE
 */
export function refuseInput(input: ModelInput, output: string): void {
  const from = realPathOf(input.path);
  const to = realPathOf(output);
  const why =
    from === to || from.startsWith(`${to}${sep}`)
      ? 'is the input itself (or holds it)'
      : input.kind === 'folder' && to.startsWith(`${from}${sep}`)
        ? 'lies inside the input folder'
        : readFile(input, output);
  if (!why) return;
  throw new OptimumError('E_USAGE', `${output} ${why}.`, {
    hint: 'Choose another place with -o.',
    context: { input: input.path, output },
  });
}

/** Says which file of the input would be replaced by an output that exists. */
function readFile(input: ModelInput, output: string): string | undefined {
  const replaced = [output, `${output}_data`].filter((path) => attempt(() => lstatSync(path)) !== undefined);
  if (replaced.length === 0) return undefined;
  const files = input.sessions.flatMap((session) => [session.input, ...externalFiles(session.input)]);
  const hit = replaced.find((path) => files.some((file) => isSame(path, file)));
  return hit && `would replace ${basename(hit)}, which the input is read from`;
}

function isSame(a: string, b: string): boolean {
  const [first, second] = [a, b].map((path) => attempt(() => statSync(path)));
  return first !== undefined && second !== undefined && first.dev === second.dev && first.ino === second.ino;
}

/** What cannot be looked at is no file of the input; what is wrong with it is told where it is used. */
function attempt<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}

/** Real paths of the files that hold the external data of a model. Nothing for what cannot be read: that is told later. */
export function externalFiles(path: string): string[] {
  try {
    const loaded = loadModelSync(path);
    const files = new Set<string>();
    for (const { origin } of walkValues(loaded.model)) {
      const tensor =
        origin.kind === 'initializer' ? origin.tensor : origin.kind === 'input' ? origin.fallback : undefined;
      if (tensor?.backing.kind === 'range' && tensor.backing.source.path) files.add(tensor.backing.source.path);
    }
    loaded.close();
    return [...files].filter((file) => file !== loaded.source.path).map((file) => realpathSync(file));
  } catch (error) {
    if (OptimumError.isInstance(error)) return [];
    throw error;
  }
}

/** The path with all links resolved, as far down as it exists. */
export function realPathOf(path: string): string {
  const full = resolve(path);
  if (existsSync(full)) return realpathSync(full);
  const parent = dirname(full);
  return parent === full ? full : join(realPathOf(parent), basename(full));
}

/** The shorter of a path as it is and as seen from the working directory. */
export function shownPath(path: string): string {
  const shown = relative(process.cwd(), path);
  return shown.startsWith('..') || shown === '' ? path : `.${sep}${shown}`;
}
