// The packages that are published, and their tarballs as pnpm makes them (workspace ranges become real ones).
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageManager, root } from './bootstrap.mjs';

/** Folder and manifest of every package that is not private. */
export function publicPackages() {
  const folders = ['packages', 'apps', 'tools'].flatMap((group) =>
    readdirSync(join(root, group), { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && existsSync(join(root, group, entry.name, 'package.json')))
      .map((entry) => `${group}/${entry.name}`),
  );
  return folders
    .map((folder) => ({ folder, manifest: JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')) }))
    .filter(({ manifest }) => manifest.private !== true);
}

/** Packs all of them into a folder; each gets the path of its tarball. */
export function packAll(destination) {
  mkdirSync(destination, { recursive: true });
  return publicPackages().map((one) => {
    const { status, stdout, stderr } = spawnSync(
      'npx',
      ['--yes', packageManager, 'pack', '--pack-destination', destination, '--json'],
      { cwd: join(root, one.folder), encoding: 'utf8', shell: process.platform === 'win32' },
    );
    if (status !== 0) throw new Error(`${one.folder} cannot be packed: ${stderr || stdout}`);
    const file = `${one.manifest.name.replace('@', '').replace('/', '-')}-${one.manifest.version}.tgz`;
    return { ...one, tarball: join(destination, file) };
  });
}
