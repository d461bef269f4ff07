import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { root } from '../testing/zoo.ts';
// @ts-expect-error plain JavaScript, so that CI can run it without a build
import { bundleForBrowser } from './browser-check.mjs';
// @ts-expect-error plain JavaScript, so that CI can run it without a build
import { auditTarball } from './pack-audit.mjs';

const folder = mkdtempSync(join(tmpdir(), 'optimum-audit-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const sound = {
  name: '@optimum/x',
  version: '1.0.0',
  description: 'x',
  license: 'Apache-2.0',
  engines: { node: '>=20.19' },
  publishConfig: { access: 'public' },
  files: ['dist'],
  exports: { '.': { '@optimum/source': './src/index.ts', default: './dist/index.js' } },
};

/** What the audit says of a package that differs from a sound one in these fields and files. */
function audit(name: string, fields: object = {}, files: Readonly<Record<string, string>> = {}): string[] {
  const manifest = { ...sound, ...fields };
  const inside = join(folder, name, 'package');
  mkdirSync(inside, { recursive: true });
  cpSync(join(root, 'LICENSE'), join(inside, 'LICENSE'));
  const all = { 'package.json': JSON.stringify(manifest), 'README.md': 'x', 'dist/index.js': 'export {};', ...files };
  for (const [path, text] of Object.entries(all)) {
    mkdirSync(dirname(join(inside, path)), { recursive: true });
    writeFileSync(join(inside, path), text);
  }
  const tarball = join(folder, `${name}.tgz`);
  execFileSync('tar', ['--format=ustar', '-czf', tarball, '-C', join(folder, name), 'package']);
  return auditTarball({ tarball, manifest: sound });
}

describe.skipIf(process.platform === 'win32')('the audit of tarballs', () => {
  it('has nothing to say of a sound package', () => expect(audit('sound')).toEqual([]));

  it.each<[string, object, Record<string, string>, RegExp]>([
    ['install-script', { scripts: { postinstall: 'node x.js' } }, {}, /install script "postinstall"/],
    ['stray-file', {}, { 'src/secret.ts': '' }, /src\/secret\.ts is not in "files"/],
    ['test-file', {}, { 'dist/a.test.js': '' }, /a\.test\.js does not belong/],
    ['machine-path', {}, { 'dist/a.js.map': `{"file":"${'/home'}/me/a.js"}` }, /names a path of the machine/],
    ['workspace-range', { dependencies: { a: 'workspace:^' } }, {}, /a at workspace:\^/],
    ['pinned-runtime', { dependencies: { 'onnxruntime-node': '1.30.0' } }, {}, /must be an optional peer/],
    ['missing-target', { bin: { x: './bin/x.js' } }, {}, /bin\/x\.js is not in the tarball/],
    ['other-licence', { license: 'MIT' }, { LICENSE: 'MIT' }, /LICENSE is not the one/],
    ['not-public', { publishConfig: {} }, {}, /access is not public/],
  ])('%s', (name, fields, files, finding) => {
    expect(audit(name, fields, files).join('\n')).toMatch(finding);
  });
});

describe('the browser check', () => {
  const entry = (text: string): string => {
    writeFileSync(join(folder, 'entry.js'), text);
    return join(folder, 'entry.js');
  };

  it.each(["import 'node:fs';", "import 'fs';", 'console.log(process.env.HOME);', 'console.log(__dirname);'])(
    'refuses %s',
    async (text) => {
      await expect(bundleForBrowser(entry(text))).rejects.toThrow();
    },
  );

  it('takes what any browser runs', async () => {
    await expect(bundleForBrowser(entry('console.log(new Uint8Array(4));'))).resolves.toBeGreaterThan(0);
  });
});
