// Reads a .tgz without unpacking it: npm's tarballs are plain ustar.
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

const block = 512;

/** The files of a package's tarball: path inside the package → bytes. */
export function readTarball(path) {
  const bytes = gunzipSync(readFileSync(path));
  const files = new Map();
  for (let at = 0; at + block <= bytes.length; ) {
    const header = bytes.subarray(at, at + block);
    const name = text(header, 0, 100);
    if (name === '') break;
    const size = Number.parseInt(text(header, 124, 12), 8);
    const prefix = text(header, 345, 155);
    const isFile = header[156] === 0x30 || header[156] === 0;
    if (isFile) files.set(strip(prefix ? `${prefix}/${name}` : name), bytes.subarray(at + block, at + block + size));
    at += block + Math.ceil(size / block) * block;
  }
  return files;
}

const text = (header, at, length) =>
  header
    .subarray(at, at + length)
    .toString('latin1')
    .replace(/\0.*$/s, '')
    .trim();
const strip = (name) => name.replace(/^package\//, '');
