// Part of each package's build: tsup writes into CommonJS source maps where on this machine the package was built.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, isAbsolute, join } from 'node:path';

const relative = (path) => (isAbsolute(path) ? basename(path) : path);

for (const name of readdirSync('dist', { recursive: true })) {
  if (!name.endsWith('.map')) continue;
  const path = join('dist', name);
  const map = JSON.parse(readFileSync(path, 'utf8'));
  const sources = map.sources.map(relative);
  writeFileSync(path, JSON.stringify({ ...map, ...(map.file && { file: relative(map.file) }), sources }));
}
