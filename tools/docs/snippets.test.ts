import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import ts from 'typescript';
import { afterAll, describe, expect, it } from 'vitest';
import { root } from '../testing/zoo.ts';
import { commandsOf, type Snippet, snippetsOf } from './extract.ts';
import { makePlayground } from './playground.ts';

// Every example of the documentation is run against the built packages; `npm test` builds them first. The commands of
// the benchmark page are left out: they run for minutes, and the benchmarks have tests of their own.
const documents = ['.', 'docs', 'packages/*', 'apps/*', 'examples/*']
  .flatMap((place) => markdownIn(place))
  .filter((name) => name !== 'docs/benchmarks.md');
const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

function markdownIn(place: string): string[] {
  const [parent = '', all] = place.split('/');
  const inside = all ? readdirSync(join(root, parent)).map((name) => `${parent}/${name}`) : [parent];
  return inside
    .filter((folder) => existsSync(join(root, folder)))
    .flatMap((folder) =>
      readdirSync(join(root, folder)).flatMap((name) => (name.endsWith('.md') ? [join(folder, name)] : [])),
    );
}

interface Outcome {
  readonly code: number;
  readonly shown: string;
}

function execute(folder: string, command: string, args: readonly string[]): Promise<Outcome> {
  const env = { ...process.env, PATH: `${join(folder, 'bin')}:${process.env.PATH}`, NO_COLOR: '1' };
  return new Promise((done) => {
    execFile(command, args, { cwd: folder, env, timeout: 120_000 }, (error, stdout, stderr) =>
      done({ code: error ? Number(error.code ?? 1) : 0, shown: `${stdout}${stderr}` }),
    );
  });
}

/** Runs or writes one block. @throws with its place and its output when it fails */
async function run(snippet: Snippet, folder: string): Promise<void> {
  const { language, file, text, at } = snippet;
  if (language === 'json') JSON.parse(text);
  if (file) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), text);
  } else if (language === 'sh') {
    for (const { line, exitCode } of commandsOf(text)) {
      const { code, shown } = await execute(folder, 'sh', ['-c', line]);
      expect(code, `${at} ${line}\n${shown}`).toBe(exitCode);
    }
  } else if (language === 'ts' || language === 'js') {
    const target = join(folder, `snippet-${at.replace(/\W+/g, '-')}.mjs`);
    writeFileSync(target, ts.transpileModule(text, { compilerOptions: { target: ts.ScriptTarget.ES2022 } }).outputText);
    const { code, shown } = await execute(folder, 'node', [target]);
    expect(code, `${at}\n${shown}`).toBe(0);
  }
}

/** What the compiler says of all TypeScript examples, as a user's project would be compiled. */
function typeErrors(snippets: readonly Snippet[]): string[] {
  const folder = makePlayground();
  folders.push(folder);
  const files = snippets.map(({ at, text }) => {
    const path = join(folder, `${at.replace(/\W+/g, '-')}.mts`);
    // Without an import or export it would be a script, in which `await` is an error.
    writeFileSync(path, `${text}export {};\n`);
    return path;
  });
  const program = ts.createProgram(files, {
    module: ts.ModuleKind.Node16,
    moduleResolution: ts.ModuleResolutionKind.Node16,
    target: ts.ScriptTarget.ES2022,
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    types: ['node'],
    typeRoots: [join(folder, 'node_modules/@types')],
  });
  return ts.getPreEmitDiagnostics(program).map((diagnostic) => {
    const message = ts.flattenDiagnosticMessageText(diagnostic.messageText, '\n');
    return `${diagnostic.file ? relative(folder, diagnostic.file.fileName) : ''}: ${message}`;
  });
}

describe.skipIf(process.platform === 'win32')('the examples of the documentation', () => {
  const all = documents.map((name) => ({
    name,
    snippets: snippetsOf(name, readFileSync(join(root, name), 'utf8')).filter(({ language }) => language !== 'text'),
  }));

  it('are typed as they say', () => {
    expect(typeErrors(all.flatMap(({ snippets }) => snippets).filter(({ language }) => language === 'ts'))).toEqual([]);
  });

  it.concurrent.each(all.filter(({ snippets }) => snippets.length > 0))(
    '$name',
    async ({ snippets }) => {
      const folder = makePlayground();
      folders.push(folder);
      for (const snippet of snippets) await run(snippet, folder);
      // Each command is a whole run with its proof; on a machine with other work they take their time.
    },
    240_000,
  );
});

describe('blocks', () => {
  it('must have a language and an end', () => {
    expect(() => snippetsOf('a.md', '```\nx\n```\n')).toThrow(/a\.md:2: a block must be one of/);
    expect(() => snippetsOf('a.md', '```ts\nx\n')).toThrow(/a\.md:2: the block has no end/);
    expect(snippetsOf('a.md', '```json a/b.json\n{}\n```\n')).toEqual([
      { at: 'a.md:2', language: 'json', file: 'a/b.json', text: '{}\n' },
    ]);
  });

  it('of commands say how they exit', () => {
    expect(commandsOf('# comment\noptimum a \\\n  b\n\noptimum c # exits 22\n')).toEqual([
      { line: 'optimum a    b', exitCode: 0 },
      { line: 'optimum c # exits 22', exitCode: 22 },
    ]);
  });
});
