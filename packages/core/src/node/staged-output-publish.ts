import { dirname, join } from 'node:path';
import { OptimumError } from '../foundation/index.ts';
import { fileError } from './file-error.ts';
import { codeOf, outputCalls, retrying, writing } from './file-sink.ts';
import { type Claim, claimsOn } from './staged-output-claims.ts';

/** Folder inside a staging folder that keeps what several files replace, until all of them are in place. */
const previousName = '.previous';

/** What file systems without hard links answer. */
const noLinks = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);

/**
 * Moves files from a staging folder to their places: all, or none. Without force nothing is replaced, not even what
 * another run published a moment ago. One file takes its place in one step; of several, the old ones are kept until
 * the last is in place.
 */
export function placeFiles(folder: string, parent: string, names: readonly string[], force: boolean): void {
  if (force && names.length > 1) keepPrevious(folder, parent, names);
  const placed: string[] = [];
  try {
    for (const name of names) {
      if (force) writing(join(parent, name), () => outputCalls.renameSync(join(folder, name), join(parent, name)));
      else addFile(join(folder, name), join(parent, name));
      placed.push(name);
    }
  } catch (error) {
    undo(folder, parent, names, placed);
    throw error;
  }
}

/** Gives a file its final name, if nothing has it: a hard link fails where a rename would replace. */
function addFile(from: string, to: string): void {
  try {
    retrying(() => outputCalls.linkSync(from, to));
  } catch (error) {
    if (codeOf(error) === 'EEXIST') throw existsNow(to);
    if (!noLinks.has(codeOf(error) ?? '')) throw fileError(error, to, 'write');
    if (outputCalls.existsSync(to)) throw existsNow(to);
    writing(to, () => outputCalls.renameSync(from, to));
  }
}

const existsNow = (path: string): OptimumError =>
  new OptimumError('E_OUTPUT_EXISTS', `${path} was made by somebody else meanwhile and is not overwritten.`, {
    hint: 'Add --force to replace it, or choose another place with -o.',
    context: { target: path },
  });

function keepPrevious(folder: string, parent: string, names: readonly string[]): void {
  const previous = join(folder, previousName);
  for (const name of names) {
    if (!outputCalls.existsSync(join(parent, name))) continue;
    writing(previous, () => outputCalls.mkdirSync(previous, { recursive: true }));
    try {
      retrying(() => outputCalls.linkSync(join(parent, name), join(previous, name)));
    } catch (error) {
      if (!noLinks.has(codeOf(error) ?? '')) throw fileError(error, join(parent, name), 'write');
      moveAside(folder, parent, names);
      return;
    }
  }
}

/** Without hard links the old files have to leave their places for a moment. */
function moveAside(folder: string, parent: string, names: readonly string[]): void {
  try {
    for (const name of names.filter((name) => outputCalls.existsSync(join(parent, name))))
      writing(join(parent, name), () => outputCalls.renameSync(join(parent, name), join(folder, previousName, name)));
  } catch (error) {
    undo(folder, parent, names, []);
    throw error;
  }
}

/** @throws E_IO with `context.kept`, naming the folder that still has the old files, when they cannot be put back */
function undo(folder: string, parent: string, names: readonly string[], placed: readonly string[]): void {
  const kept = names.filter((name) => outputCalls.existsSync(join(folder, previousName, name)));
  for (const name of placed.filter((name) => !kept.includes(name))) {
    try {
      retrying(() => outputCalls.unlinkSync(join(parent, name)));
    } catch {
      // A new file that nothing refers to; what was there before is what counts.
    }
  }
  try {
    restorePrevious(folder, parent, names);
  } catch (error) {
    const previous = join(folder, previousName);
    throw new OptimumError('E_IO', `What was in ${parent} could not be put back; it is complete in ${previous}.`, {
      hint: `Move it back: mv ${JSON.stringify(previous)}/* ${JSON.stringify(parent)}`,
      cause: error,
      context: { kept: previous },
    });
  }
}

function restorePrevious(folder: string, parent: string, names: readonly string[]): void {
  for (const name of names) {
    const kept = join(folder, previousName, name);
    if (outputCalls.existsSync(kept))
      writing(join(parent, name), () => outputCalls.renameSync(kept, join(parent, name)));
  }
}

/**
 * Takes up what killed runs left of an output: puts back what they had moved aside, removes the rest. What cannot be
 * removed now stays for the next run.
 */
export function restoreDead(target: string): void {
  for (const claim of claimsOn(target)) {
    if (claim.state !== 'dead') continue;
    try {
      if (claim.isAside) restoreAside(claim, target);
      else restoreCut(claim, dirname(target));
    } catch {
      continue;
    }
    removeTree(claim.folder);
  }
}

/** A folder that was moved aside by a run that died before it put its own in place. */
function restoreAside({ folder }: Claim, target: string): void {
  if (!outputCalls.lstatSync(target, { throwIfNoEntry: false })) outputCalls.renameSync(folder, target);
}

/** Of several files, only some were replaced: the old ones come back. */
function restoreCut({ folder }: Claim, parent: string): void {
  const previous = join(folder, previousName);
  if (!outputCalls.existsSync(previous)) return;
  const isCut = outputCalls.readdirSync(folder).some((name) => name !== previousName);
  if (isCut) restorePrevious(folder, parent, outputCalls.readdirSync(previous));
}

/** Removes a folder with all that is in it, as far as that goes: it only ever follows a success or another failure. */
export function removeTree(folder: string): void {
  for (const isLast of [false, true]) {
    try {
      retrying(() => outputCalls.rmSync(folder, { recursive: true, force: true }));
      return;
    } catch {
      if (isLast) return;
    }
  }
}

/** Makes a rename durable; not every file system can. */
export function syncFolder(folder: string): void {
  try {
    const descriptor = outputCalls.openSync(folder, 'r');
    try {
      outputCalls.fsyncSync(descriptor);
    } finally {
      outputCalls.closeSync(descriptor);
    }
  } catch {
    // Windows and some network file systems refuse to sync a folder.
  }
}
