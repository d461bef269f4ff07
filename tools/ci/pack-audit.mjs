// What a tarball must be like before it is published; each finding is a sentence.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './bootstrap.mjs';
import { readTarball } from './tarball.mjs';

/** Scripts that npm runs on the machine of whoever installs a package: none may have one. */
const installScripts = ['preinstall', 'install', 'postinstall', 'prepublish', 'preprepare', 'prepare', 'postprepare'];
const alwaysPacked = /^(package\.json|LICENSE|README\.md|CHANGELOG\.md)$/;
/** Only this repository sets the condition that leads to sources. */
const sourceCondition = '@optimum/source';
const machinePath = /(?:^|[\s"'`(=:])\/(?:work|root|home|tmp)\/[\w.-]/;

/** Findings about one tarball; none is right. */
export function auditTarball({ tarball, manifest: source }) {
  const files = readTarball(tarball);
  const manifest = JSON.parse(files.get('package.json').toString('utf8'));
  return [...auditFiles(files, source), ...auditManifest(manifest), ...auditTargets(manifest, files)];
}

function auditFiles(files, source) {
  const allowed = (source.files ?? []).map((entry) => entry.replace(/^\.\//, ''));
  const isAllowed = (name) =>
    alwaysPacked.test(name) || allowed.some((entry) => name === entry || name.startsWith(`${entry}/`));
  const findings = [...files.keys()].filter((name) => !isAllowed(name)).map((name) => `${name} is not in "files"`);
  for (const name of ['LICENSE', 'README.md']) if (!files.has(name)) findings.push(`${name} is missing`);
  if (files.get('LICENSE')?.equals(readFileSync(join(root, 'LICENSE'))) === false)
    findings.push('LICENSE is not the one of the repository');
  for (const [name, bytes] of files) {
    if (/\.(test|bench)\.[cm]?[jt]s$|\.tsbuildinfo$|(^|\/)\.env/.test(name))
      findings.push(`${name} does not belong in a package`);
    if (machinePath.test(bytes.toString('utf8'))) findings.push(`${name} names a path of the machine that built it`);
  }
  return findings;
}

function auditManifest(manifest) {
  const findings = installScripts
    .filter((name) => manifest.scripts?.[name])
    .map((name) => `it has the install script "${name}"`);
  if (manifest.license !== 'Apache-2.0') findings.push(`its licence is ${manifest.license}`);
  if (!manifest.description) findings.push('it has no description');
  if (!manifest.engines?.node) findings.push('it does not say which Node it needs');
  if (manifest.publishConfig?.access !== 'public') findings.push('publishConfig.access is not public');
  for (const kind of ['dependencies', 'peerDependencies', 'optionalDependencies']) {
    for (const [name, range] of Object.entries(manifest[kind] ?? {})) {
      if (/^(workspace|file|link|git|https?):/.test(range)) findings.push(`${kind} has ${name} at ${range}`);
      if (name.startsWith('onnxruntime') && !manifest.peerDependenciesMeta?.[name]?.optional)
        findings.push(`${name} must be an optional peer`);
    }
  }
  return findings;
}

/** Everything that the manifest points at must be in the tarball. */
function auditTargets(manifest, files) {
  const targets = [
    ...leaves(manifest.exports),
    ...leaves(manifest.bin),
    ...Object.values(manifest.optimum?.backend ?? {}),
  ];
  return targets
    .filter((target) => typeof target === 'string' && target.startsWith('./'))
    .filter((target) => !files.has(target.slice(2)))
    .map((target) => `${target} is not in the tarball`);
}

function leaves(value, condition) {
  if (typeof value === 'string') return condition === sourceCondition ? [] : [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => leaves(inner, key));
}
