// Bundles @optimum/core's main entry for a browser: anything of Node that is reachable from it fails the build.
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { root } from './bootstrap.mjs';

// esbuild comes with tsup; it is no dependency of its own.
const { build } = createRequire(createRequire(join(root, 'package.json')).resolve('tsup'))('esbuild');

/** Minified size in bytes of the bundle. Throws with esbuild's message when something of Node is in it. */
export async function bundleForBrowser(entry = join(root, 'packages/core/dist/index.js')) {
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    minify: true,
    format: 'esm',
    platform: 'browser',
    logLevel: 'silent',
  });
  const [output] = outputFiles;
  const nodeName = /\b(require\(|process\.(?:env|platform|cwd)|__dirname|__filename)/.exec(output.text);
  if (nodeName) throw new Error(`the bundle uses ${nodeName[0]}, which no browser has`);
  return output.contents.length;
}
