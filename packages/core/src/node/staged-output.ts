import { constants, type Stats } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { OptimumError } from '../foundation/index.ts';
import { fileError } from './file-error.ts';
import { codeOf, outputCalls, retrying, writing } from './file-sink.ts';
import { asideSuffix, claimFolder, claimsOn } from './staged-output-claims.ts';
import { placeFiles, removeTree, restoreDead, syncFolder } from './staged-output-publish.ts';

const open = new Set<StagedOutput>();
let isWatched = false;

/** Removes everything that is staged and not published. Happens by itself when the process exits. */
export function discardStaged(): void {
  for (const staged of [...open]) staged.discard();
}

/** However the process ends, short of being killed, nothing that is staged stays. */
function watch(staged: StagedOutput): void {
  open.add(staged);
  if (!isWatched) process.on('exit', discardStaged);
  isWatched = true;
}

export interface StagedOutputOptions {
  /** Replace what exists. */
  readonly force?: boolean | undefined;
  /** What the output will be. @defaultValue 'file' */
  readonly kind?: 'file' | 'folder' | undefined;
}

/**
 * A folder beside the final place, in which an output is made before it is published by renaming. Until then nothing
 * that exists is touched; a failed or killed run leaves it byte for byte. The folder also claims the output: of two
 * runs at once, the earlier one has it.
 */
export class StagedOutput {
  /** The final place: a file or a folder. */
  readonly target: string;
  /** Where files are made. */
  readonly folder: string;
  readonly #force: boolean;
  readonly #kind: 'file' | 'folder';
  /** The first folder that had to be made above the target. */
  #madeParent: string | undefined;
  readonly #folders = new Set<string>();
  #isOver = false;

  /** @throws E_OUTPUT_EXISTS without force, E_LOCKED, E_IO when the place cannot be written; before any work is done */
  constructor(target: string, options: StagedOutputOptions = {}) {
    this.target = resolve(target);
    this.#force = options.force ?? false;
    this.#kind = options.kind ?? 'file';
    const parent = dirname(this.target);
    if (parent === this.target) throw new OptimumError('E_USAGE', `${target} is no place for a result.`);
    restoreDead(this.target);
    this.#requireReplaceable(this.target);
    this.folder = claimFolder(this.target);
    try {
      this.#madeParent = writing(parent, () => outputCalls.mkdirSync(parent, { recursive: true }));
      writing(parent, () => outputCalls.accessSync(parent, constants.W_OK));
      writing(this.folder, () => outputCalls.mkdirSync(this.folder));
      watch(this);
      this.#requireTurn();
    } catch (error) {
      this.discard();
      throw error;
    }
  }

  /** @throws E_NO_SPACE when the disk has less room than the output needs */
  requireSpace(byteLength: number): void {
    const free = this.#freeBytes();
    if (free === undefined || free >= byteLength) return;
    throw new OptimumError('E_NO_SPACE', `${this.target} needs ${byteLength} bytes, but the disk has ${free} free.`, {
      hint: 'Free some space, or choose another place with -o.',
      context: { needed: byteLength, free },
    });
  }

  /** Makes the folder of a file that will be staged under `name`. */
  makeFolderOf(name: string): void {
    const folder = dirname(join(this.folder, name));
    this.#folders.add(folder);
    writing(folder, () => outputCalls.mkdirSync(folder, { recursive: true }));
  }

  /**
   * Puts the files of the staging folder beside each other at the target's folder, in the order given: all of them, or
   * none. @throws E_OUTPUT_EXISTS, E_LOCKED, E_IO
   */
  publishFiles(names: readonly string[]): void {
    const parent = dirname(this.target);
    this.#requireTurn();
    for (const name of names) this.#requireReplaceable(join(parent, name));
    try {
      placeFiles(this.folder, parent, names, this.#force);
    } catch (error) {
      if (OptimumError.isInstance(error) && error.context.kept) this.#abandon();
      throw error;
    }
    this.#madeParent = undefined;
    this.discard();
    syncFolder(parent);
  }

  /** Puts the whole staging folder in place. What stood there is moved aside first and put back if that fails. */
  publishFolder(): void {
    this.#requireTurn();
    const isThere = this.#requireReplaceable(this.target);
    const aside = `${this.folder}${asideSuffix}`;
    for (const folder of [...this.#folders, this.folder]) syncFolder(folder);
    if (isThere) writing(this.target, () => outputCalls.renameSync(this.target, aside));
    try {
      retrying(() => outputCalls.renameSync(this.folder, this.target));
    } catch (error) {
      if (isThere) this.#putBack(aside);
      throw isTaken(error) ? exists(this.target) : fileError(error, this.target, 'write');
    }
    this.#madeParent = undefined;
    this.discard();
    syncFolder(dirname(this.target));
    if (isThere) removeTree(aside);
  }

  /** Removes what was staged. Harmless after publishing, and when it was removed already. */
  discard(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    open.delete(this);
    removeTree(this.folder);
    this.#removeMadeParents();
  }

  /** Leaves the staging folder, because it holds the only copy of something. */
  #abandon(): void {
    this.#isOver = true;
    open.delete(this);
  }

  #freeBytes(): number | undefined {
    try {
      const { bavail, bsize } = retrying(() => outputCalls.statfsSync(this.folder));
      return bavail * bsize;
    } catch {
      // Some file systems do not tell; writing will.
      return undefined;
    }
  }

  /** True when something stands at a place and may be replaced. @throws E_OUTPUT_EXISTS */
  #requireReplaceable(path: string): boolean {
    const stats = writing(path, () => outputCalls.lstatSync(path, { throwIfNoEntry: false }));
    if (!stats) return false;
    if (!this.#force) throw exists(path);
    const why = this.#kind === 'file' ? whyNoFile(stats) : whyNoFolder(path, stats);
    if (why) throw notReplaced(path, why);
    return true;
  }

  /** @throws E_LOCKED when a run that began before this one makes the same output */
  #requireTurn(): void {
    const claims = claimsOn(this.target).filter(({ state, isAside }) => state === 'running' && !isAside);
    const own = claims.findIndex(({ folder }) => folder === this.folder);
    const [first] = claims;
    if (!first || own <= 0) return;
    const { pid, folder } = first;
    const since = first.since.toISOString();
    throw new OptimumError('E_LOCKED', `${this.target} is being made by process ${pid} since ${since}.`, {
      hint: `Wait for it, or choose another place with -o. If no such run exists, remove ${folder}.`,
      context: { target: this.target, pid, since, folder },
    });
  }

  #putBack(aside: string): void {
    try {
      retrying(() => outputCalls.renameSync(aside, this.target));
    } catch (error) {
      throw new OptimumError('E_IO', `${this.target} could not be put back; it is complete in ${aside}.`, {
        hint: `Move it back: mv ${JSON.stringify(aside)} ${JSON.stringify(this.target)}`,
        cause: error,
      });
    }
  }

  /** Folders that were made for the output go when it does not come. */
  #removeMadeParents(): void {
    const top = this.#madeParent;
    if (top === undefined) return;
    for (let folder = dirname(this.target); folder.length >= top.length; folder = dirname(folder)) {
      try {
        retrying(() => outputCalls.rmdirSync(folder));
      } catch {
        // Somebody else put something there.
        return;
      }
    }
  }
}

const exists = (target: string): OptimumError =>
  new OptimumError('E_OUTPUT_EXISTS', `${target} exists already and is not overwritten.`, {
    hint: 'Add --force to replace it, or choose another place with -o.',
    context: { target },
  });

const notReplaced = (target: string, why: string): OptimumError =>
  new OptimumError('E_OUTPUT_EXISTS', `${target} ${why}: it is not replaced, not even with --force.`, {
    hint: 'Remove it yourself, or choose another place with -o.',
    context: { target },
  });

/** What the system says when something was put in a folder's place meanwhile. */
const isTaken = (error: unknown): boolean => ['EEXIST', 'ENOTEMPTY', 'ENOTDIR'].includes(codeOf(error) ?? '');

const whyNoFile = (stats: Stats): string | undefined =>
  stats.isDirectory() ? 'is a folder, and the result is a file' : undefined;

/** `--force` replaces a whole folder, so it has to be one of models: a slip must not cost a home directory. */
function whyNoFolder(path: string, stats: Stats): string | undefined {
  if (stats.isSymbolicLink()) return undefined;
  if (!stats.isDirectory()) return 'is a file, and the result is a folder';
  const names = writing(path, () => outputCalls.readdirSync(path));
  const isModelFolder = names.some((name) => name === 'onnx' || name.endsWith('.onnx') || name === 'config.json');
  if (names.length === 0 || isModelFolder) return undefined;
  return `is a folder without a model (${names.slice(0, 3).join(', ')}${names.length > 3 ? ', …' : ''})`;
}
