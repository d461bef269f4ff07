import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { defaultFeatures, featuresOf } from './features.mjs';

export const usage = `create-backend NAME [options]
  --id ID              for --backend: small letters, digits and dashes (NAME without "backend-")
  --vendor VENDOR      as \`optimum backends --json\` shows it: GenuineIntel, AuthenticAMD, ARM, …
  --architecture NAME  ${Object.keys(featuresOf).join(' or ')} (x64)
  --features A,B       instruction sets that the first target has
  --package NAME       of the npm package (backend-ID)
  --dir FOLDER         the new folder (the package's name)`;

/** The user said something that cannot be. */
export class UsageError extends Error {}

/**
 * What the command line says; nothing is filled in or checked against anything else yet.
 *
 * @returns {'help' | Record<string, string | undefined>}
 */
export function parseOptions(args) {
  const text = { type: 'string' };
  const options = { id: text, vendor: text, architecture: text, features: text, package: text, dir: text };
  const { values, positionals } = parse(args, { ...options, help: { type: 'boolean', short: 'h' } });
  if (values.help) return 'help';
  if (positionals.length > 1)
    throw new UsageError(`One name is expected, not ${positionals.length}: ${positionals.join(' ')}`);
  const { help: _, ...given } = values;
  const [name] = positionals;
  if (name !== undefined && given.id === undefined) given.id = basename(name).replace(/^backend-/, '');
  return given;
}

function parse(args, options) {
  try {
    return parseArgs({ args, options, allowPositionals: true });
  } catch (error) {
    throw new UsageError(error.message);
  }
}

/**
 * @typedef {object} Choices
 * @property {string} id
 * @property {string} vendor
 * @property {'x64' | 'arm64'} architecture
 * @property {readonly string[]} features
 * @property {string} [package]
 * @property {string} [dir]
 */

/** @returns {Choices} @throws UsageError with everything that is wrong */
export function checkOptions(given) {
  const architecture = given.architecture || 'x64';
  const known = featuresOf[architecture];
  const names = given.features || defaultFeatures[architecture]?.join(',') || '';
  const features = names.split(',').map((name) => name.trim());
  const unknown = features.filter((feature) => known && !Object.hasOwn(known, feature));
  const problems = [
    !/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(given.id ?? '') &&
      `"${given.id ?? ''}" is no id: small letters, digits and dashes, beginning with a letter`,
    !/^\S.{0,62}$/.test(given.vendor ?? '') &&
      `"${given.vendor ?? ''}" is no vendor; give --vendor as the CPU names it`,
    !known && `--architecture ${architecture} is not one of ${Object.keys(featuresOf).join(', ')}`,
    unknown.length > 0 &&
      `${architecture} has no feature "${unknown.join('", "')}"; it has ${Object.keys(known).join(', ')}`,
    given.package !== undefined &&
      !/^(@[a-z0-9-][a-z0-9._-]*\/)?[a-z0-9-][a-z0-9._-]*$/.test(given.package) &&
      `"${given.package}" is no name of a package`,
  ].filter(Boolean);
  if (problems.length > 0) throw new UsageError(problems.join('\n'));
  return { ...given, architecture, features };
}
