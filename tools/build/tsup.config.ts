import { readFileSync } from 'node:fs';
import { defineConfig, type Options } from 'tsup';

interface Package {
  readonly name: string;
  readonly version: string;
  readonly exports?: Readonly<Record<string, string | { readonly '@optimum/source'?: string }>>;
  /** Sources of modules that are started, by their place in dist, and not imported: programs of threads. */
  readonly programs?: readonly string[];
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/**
 * The one build of every package, run in its folder: ESM, CommonJS and types of each entry that package.json exports.
 * Entries share chunks, so that a class is the same class whichever entry it comes from.
 */
const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as Package;

const isProgram = manifest.exports === undefined;
const exported = Object.values(manifest.exports ?? {}).map((target) =>
  typeof target === 'string' ? undefined : target['@optimum/source'],
);
const entriesOf = (sources: readonly (string | undefined)[]): Record<string, string> =>
  Object.fromEntries(
    sources.flatMap((source) => (source ? [[source.replace(/^\.\/src\//, '').replace(/\.m?ts$/, ''), source]] : [])),
  );

const entry = isProgram ? { main: './src/main.ts' } : entriesOf(exported);
const programs = entriesOf(manifest.programs ?? []);

const shared: Options = {
  // What may be missing is never bundled.
  external: Object.keys(manifest.optionalDependencies ?? {}),
  define: { __VERSION__: JSON.stringify(manifest.version) },
  target: 'es2022',
  platform: 'node',
  shims: true,
  sourcemap: true,
  treeshake: false,
  tsconfig: '../../tsconfig.base.json',
  esbuildOptions(options, { format }) {
    // Other packages of the workspace are left to the runtime; their sources are for tests only.
    options.conditions = [];
    options.define = { ...options.define, __COMMONJS__: String(format === 'cjs') };
    // Half the bytes are half the time to start; names stay, so that stack traces can be read. The CommonJS form is made
    // by a second tool, which does not understand minified code.
    options.minifyWhitespace = format === 'esm';
    options.minifySyntax = format === 'esm';
  },
};

const packaged: Options = {
  ...shared,
  entry,
  // A program is only ever started, so it needs no CommonJS and no types; what it depends on is bundled for a fast start.
  format: isProgram ? ['esm'] : ['esm', 'cjs'],
  dts: !isProgram,
  ...(isProgram && {
    noExternal: ['commander', 'picocolors'],
    // Bundled CommonJS asks for `require`, which ESM does not have.
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
  }),
  splitting: true,
  // Both builds run at once: this one must not remove what the other has written.
  clean: Object.keys(programs).map((name) => `!${name}.js*`),
};

/** A thread loads every chunk that its program shares with the package: alone, it is a tenth of that. */
const threads: Options = { ...shared, entry: programs, format: ['esm'], dts: false, splitting: false, clean: false };

export default defineConfig(Object.keys(programs).length > 0 ? [packaged, threads] : [packaged]);
