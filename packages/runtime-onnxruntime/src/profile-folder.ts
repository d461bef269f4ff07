import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const standing = new Set<string>();
let isWatched = false;

/** A folder for what the runtime's profiler writes. It goes with the session, or with this process. */
export class ProfileFolder {
  readonly path: string = mkdtempSync(join(tmpdir(), 'optimum-profile-'));

  constructor() {
    standing.add(this.path);
    if (!isWatched) process.on('exit', () => standing.forEach(removeFolder));
    isWatched = true;
  }

  remove(): void {
    removeFolder(this.path);
    standing.delete(this.path);
  }
}

const removeFolder = (path: string): void => rmSync(path, { recursive: true, force: true });
