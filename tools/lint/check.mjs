// The rules of the house that no linter has: the order of core's rooms, where Node may be used, which package may
// depend on which, and no paths of a machine in what is committed.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import ts from 'typescript';
import { checkImport, checkText } from './rules.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');

/** Every module that a source file imports, with its line. */
export function importsOf(file, text) {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const found = [];
  const visit = (node) => {
    const isStatic = (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) && node.moduleSpecifier;
    const isDynamic =
      ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword && node.arguments[0];
    const specifier = isStatic || isDynamic;
    if (specifier && ts.isStringLiteral(specifier)) {
      found.push({
        specifier: specifier.text,
        line: source.getLineAndCharacterOfPosition(specifier.getStart()).line + 1,
      });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

function main() {
  const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  })
    .split('\n')
    .filter(Boolean);
  const problems = [];
  for (const file of files) {
    if (/\.(onnx|wasm|png|lock|yaml|tsv|safetensors)$|pnpm-lock|tokenizer\.json$/.test(file)) continue;
    let text;
    try {
      text = readFileSync(join(root, file), 'utf8');
    } catch {
      continue;
    }
    problems.push(...checkText(file, text));
    if (!/\.(ts|mts|mjs)$/.test(file) || /\/assembly\//.test(file)) continue;
    for (const found of importsOf(file, text)) {
      const problem = checkImport(file, found.specifier);
      if (problem) problems.push(`${file}:${found.line} ${problem}`);
    }
  }
  for (const problem of problems) console.error(problem);
  console.log(`${files.length} files, ${problems.length} problems`);
  process.exit(problems.length === 0 ? 0 : 1);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) main();
