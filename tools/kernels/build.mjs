#!/usr/bin/env node
// Builds packages/core/assembly into packages/core/src/kernels/wasm.generated.ts.
// With --check nothing is written: the build is compared with what is committed.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
const target = join(root, 'packages/core/src/kernels/wasm.generated.ts');

const wasm = await compile();
const text = [
  '// Made by `node tools/kernels/build.mjs` from packages/core/assembly. Do not edit.',
  `/** ${wasm.byteLength} bytes of WebAssembly, base64. */`,
  `export const wasmBase64 =\n  '${Buffer.from(wasm).toString('base64')}';`,
  '',
].join('\n');

if (!process.argv.includes('--check')) {
  writeFileSync(target, text);
  console.log(`wrote ${wasm.byteLength} bytes of WebAssembly`);
} else if (!existsSync(target) || readFileSync(target, 'utf8') !== text) {
  console.error('wasm.generated.ts is not what packages/core/assembly builds to; run: node tools/kernels/build.mjs');
  process.exit(1);
} else {
  console.log('wasm.generated.ts is what packages/core/assembly builds to');
}

async function compile() {
  let binary;
  const { error, stderr } = await asc.main(
    [
      'packages/core/assembly/index.ts',
      '-O3',
      '--noAssert',
      '--runtime',
      'stub',
      '--importMemory',
      '--enable',
      'simd',
      '--initialMemory',
      '1',
      '--outFile',
      'kernels.wasm',
    ],
    {
      readFile: (name, base) => {
        const path = join(base ?? root, name);
        return existsSync(path) ? readFileSync(path, 'utf8') : null;
      },
      writeFile: (name, data) => {
        if (name.endsWith('.wasm')) binary = data;
      },
    },
  );
  if (error || !binary) {
    console.error(stderr.toString());
    throw error ?? new Error('no output');
  }
  return binary;
}
