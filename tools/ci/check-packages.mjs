// Packs every public package and checks what a user would get: contents, types, the browser, a real installation.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { root } from './bootstrap.mjs';
import { bundleForBrowser } from './browser-check.mjs';
import { auditTarball } from './pack-audit.mjs';
import { smokeTest } from './pack-smoke.mjs';
import { packAll } from './packages.mjs';

/** Types as Node and bundlers resolve them from ESM and from CommonJS; the output is only shown when one is wrong. */
function checkTypes(tarball) {
  const attw = join(root, 'node_modules/@arethetypeswrong/cli/dist/index.js');
  const { status, stdout, stderr } = spawnSync('node', [attw, tarball, '--profile', 'node16'], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${stdout}${stderr}`);
}

async function checkManifest({ tarball, manifest }) {
  const bytes = readFileSync(tarball);
  const { messages, pkg } = await publint({
    pack: { tarball: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) },
    strict: true,
  });
  if (messages.length > 0)
    throw new Error(messages.map((message) => formatMessage(message, pkg ?? manifest, { color: false })).join('\n'));
}

/** Calls `report(name, error | undefined)` for each check. */
export async function checkPackages(report) {
  const attempt = async (name, action) => {
    try {
      const detail = await action();
      report(detail ? `${name}: ${detail}` : name, undefined);
    } catch (error) {
      report(name, error);
    }
  };
  const folder = mkdtempSync(join(tmpdir(), 'optimum-packs-'));
  try {
    const packed = packAll(folder);
    for (const one of packed) {
      await attempt(`contents of ${one.manifest.name}`, () => {
        const findings = auditTarball(one);
        if (findings.length > 0) throw new Error(findings.join('\n'));
      });
      await attempt(`publint ${one.manifest.name}`, () => checkManifest(one));
      // A program has no entry to import and no types.
      if (one.manifest.exports) await attempt(`types of ${one.manifest.name}`, () => checkTypes(one.tarball));
    }
    await attempt('@optimum/core in a browser bundle', async () => `${await bundleForBrowser()} bytes minified`);
    await attempt('packages as installed by npm', () => JSON.stringify(smokeTest(packed)));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  let failed = 0;
  await checkPackages((name, error) => {
    console.log(error ? `FAILED: ${name}\n${error.message}` : `ok ${name}`);
    if (error) failed++;
  });
  process.exit(failed === 0 ? 0 : 1);
}
