import { randomBytes } from 'node:crypto';
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statfsSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { OptimumError } from '../foundation/index.ts';
import { fileError } from './file-error.ts';

const open = new Set<StagedOutput>();

/** Removes everything that is staged and not published; for signal handlers. */
export function discardStaged(): void {
  for (const staged of [...open]) staged.discard();
}

/**
 * A folder beside the final place, in which an output is made before it is published by renaming. Until then nothing
 * that exists is touched; a failed or killed run leaves it byte for byte.
 */
export class StagedOutput {
  /** The final place: a file or a folder. */
  readonly target: string;
  /** Where files are made. */
  readonly folder: string;
  readonly #force: boolean;

  /** @throws E_OUTPUT_EXISTS without force, E_IO when the place cannot be written; before any work is done */
  constructor(target: string, options: { readonly force?: boolean | undefined } = {}) {
    this.target = resolve(target);
    this.#force = options.force ?? false;
    const parent = dirname(this.target);
    requireFree(this.target, this.#force);
    attempt(parent, () => {
      mkdirSync(parent, { recursive: true });
      accessSync(parent, constants.W_OK);
    });
    this.folder = join(parent, `.${basename(this.target)}.tmp-${process.pid}-${randomBytes(4).toString('hex')}`);
    attempt(this.folder, () => mkdirSync(this.folder));
    open.add(this);
  }

  /** @throws E_NO_SPACE when the disk has less room than the output needs */
  requireSpace(byteLength: number): void {
    const { bavail, bsize } = statfsSync(this.folder);
    const free = bavail * bsize;
    if (free >= byteLength) return;
    throw new OptimumError('E_NO_SPACE', `${this.target} needs ${byteLength} bytes, but the disk has ${free} free.`, {
      hint: 'Free some space, or choose another place with -o.',
      context: { needed: byteLength, free },
    });
  }

  /** Puts the files of the staging folder beside each other at the target's folder, in the order given. */
  publishFiles(names: readonly string[]): void {
    const parent = dirname(this.target);
    for (const name of names) requireFree(join(parent, name), this.#force);
    for (const name of names)
      attempt(join(parent, name), () => renameSync(join(this.folder, name), join(parent, name)));
    this.discard();
    syncFolder(parent);
  }

  /** Puts the whole staging folder in place. What stood there is moved aside first and put back if that fails. */
  publishFolder(): void {
    requireFree(this.target, this.#force);
    const aside = existsSync(this.target) ? `${this.folder}-old` : undefined;
    attempt(this.target, () => {
      if (aside) renameSync(this.target, aside);
      try {
        renameSync(this.folder, this.target);
      } catch (error) {
        if (aside) renameSync(aside, this.target);
        throw error;
      }
    });
    open.delete(this);
    syncFolder(dirname(this.target));
    if (aside) rmSync(aside, { recursive: true, force: true });
  }

  /** Removes what was staged. Harmless after publishing. */
  discard(): void {
    open.delete(this);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function requireFree(target: string, force: boolean): void {
  if (force || !existsSync(target)) return;
  throw new OptimumError('E_OUTPUT_EXISTS', `${target} exists already and is not overwritten.`, {
    hint: 'Add --force to replace it, or choose another place with -o.',
    context: { target },
  });
}

function attempt<T>(path: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw fileError(error, path, 'write');
  }
}

/** Makes a rename durable; not every file system can. */
function syncFolder(folder: string): void {
  try {
    const descriptor = openSync(folder, 'r');
    fsyncSync(descriptor);
    closeSync(descriptor);
  } catch {
    // Windows and some network file systems refuse to sync a folder.
  }
}
