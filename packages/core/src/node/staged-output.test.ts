import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { snapshot } from '../../../../tools/testing/tiny-models.ts';
import { FileSink, outputCalls } from './file-sink.ts';
import { discardStaged, StagedOutput, type StagedOutputOptions } from './staged-output.ts';
import { claimsOn } from './staged-output-claims.ts';

const root = mkdtempSync(join(tmpdir(), 'optimum-staged-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

let folder = '';
let count = 0;
beforeEach(() => {
  folder = join(root, String(count++));
  mkdirSync(folder);
});

/** A process that has ended. */
const deadProcess = spawnSync('node', ['-e', '']).pid;

/** Renames a claim as if another process had made it; `from` and `to` are fields of its name. */
function disguise(claim: string, ...changes: readonly (readonly [RegExp, string])[]): string {
  const name = changes.reduce((text, [from, to]) => text.replace(from, to), basename(claim));
  renameSync(claim, join(folder, name));
  return join(folder, name);
}

const asDead = [new RegExp(`tmp-${process.pid}-`), `tmp-${deadProcess}-`] as const;

function stage(name: string, text: string, options: StagedOutputOptions = {}): StagedOutput {
  const staged = new StagedOutput(join(folder, name), options);
  const file = options.kind === 'folder' ? 'config.json' : name;
  writeFileSync(join(staged.folder, file), text);
  return staged;
}

const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
const codeOf = (action: () => unknown): string => {
  try {
    action();
    return 'nothing';
  } catch (error) {
    return (error as { code: string }).code;
  }
};

describe('a claim', () => {
  it('keeps a second run of the same output away, and only that', () => {
    const first = stage('a.onnx', 'first');
    const locked = codeOf(() => stage('a.onnx', 'second'));
    const other = stage('b.onnx', 'other');
    expect(locked).toBe('E_LOCKED');
    other.publishFiles(['b.onnx']);
    first.publishFiles(['a.onnx']);
    expect(snapshot(folder)).toEqual({ 'a.onnx': expect.anything(), 'b.onnx': expect.anything() });
    stage('a.onnx', 'third', { force: true }).publishFiles(['a.onnx']);
    expect(read('a.onnx')).toBe('third');
  });

  it('names process, time and remedy', () => {
    const first = stage('a.onnx', 'first');
    expect(() => stage('a.onnx', 'second')).toThrow(
      expect.objectContaining({
        message: expect.stringMatching(new RegExp(`a\\.onnx is being made by process ${process.pid} since 20`)),
        hint: expect.stringContaining(first.folder),
        exitCode: 32,
      }),
    );
    first.discard();
  });

  it('of an earlier run wins also when the later one is faster', () => {
    const later = stage('a.onnx', 'later', { force: true });
    const [claim] = claimsOn(join(folder, 'a.onnx'));
    // An earlier claim by this process appears after the check of the later one.
    mkdirSync(join(folder, basename(claim?.folder ?? '').replace(/-[0-9a-z]{9}-([0-9a-f]{8})$/, '-0aaaaaaaa-$1')));
    expect(codeOf(() => later.publishFiles(['a.onnx']))).toBe('E_LOCKED');
    later.discard();
    expect(existsSync(join(folder, 'a.onnx'))).toBe(false);
  });

  it('of a dead process is cleared away, one of another machine only after a day', () => {
    disguise(stage('a.onnx', 'dead').folder, asDead);
    const elsewhere = disguise(stage('a.onnx', 'elsewhere').folder, [/-[0-9a-f]{8}-([0-9a-z]{9})-/, '-00000000-$1-']);
    const ancient = disguise(stage('a.onnx', 'ancient').folder, [/-[0-9a-f]{8}-[0-9a-z]{9}-/, '-00000000-0aaaaaaaa-']);
    // The first one went when the next claim was made.
    expect(
      claimsOn(join(folder, 'a.onnx'))
        .map(({ state }) => state)
        .sort(),
    ).toEqual(['dead', 'elsewhere']);
    stage('a.onnx', 'new').publishFiles(['a.onnx']);
    expect(existsSync(ancient)).toBe(false);
    expect(readdirSync(folder).sort()).toEqual([basename(elsewhere), 'a.onnx'].sort());
  });

  it.skipIf(process.platform !== 'linux')('of a process whose number another one has now is dead', () => {
    disguise(stage('a.onnx', 'reused').folder, [/tmp-(\d+)-[0-9a-z]+-/, 'tmp-$1-1-']);
    expect(claimsOn(join(folder, 'a.onnx')).map(({ state }) => state)).toEqual(['dead']);
  });

  it('leaves alone what only looks like it', () => {
    mkdirSync(join(folder, '.a.onnx.tmp-mine'));
    mkdirSync(join(folder, `.a.onnx.tmp-${deadProcess}-deadbeef`));
    stage('a.onnx', 'new').publishFiles(['a.onnx']);
    expect(readdirSync(folder)).toHaveLength(3);
  });

  it('works for the longest names', () => {
    const name = `${'é'.repeat(120)}.onnx`;
    const staged = stage(name, 'new');
    expect(codeOf(() => stage(name, 'second'))).toBe('E_LOCKED');
    staged.publishFiles([name]);
    expect(read(name)).toBe('new');
  });
});

describe('what a killed run had moved aside', () => {
  it('a folder comes back', () => {
    const staged = stage('out', 'new', { kind: 'folder' });
    mkdirSync(`${staged.folder}-old`);
    writeFileSync(join(`${staged.folder}-old`, 'config.json'), 'old');
    disguise(`${staged.folder}-old`, asDead);
    disguise(staged.folder, asDead);
    expect(codeOf(() => stage('out', 'newer', { kind: 'folder' }))).toBe('E_OUTPUT_EXISTS');
    expect(read('out/config.json')).toBe('old');
    expect(readdirSync(folder)).toEqual(['out']);
  });

  it('and goes when the new one had taken its place', () => {
    mkdirSync(join(folder, 'out'));
    writeFileSync(join(folder, 'out/config.json'), 'new');
    const staged = stage('out', '', { kind: 'folder', force: true });
    mkdirSync(`${staged.folder}-old`);
    disguise(`${staged.folder}-old`, asDead);
    staged.discard();
    expect(codeOf(() => stage('out', 'newer', { kind: 'folder' }))).toBe('E_OUTPUT_EXISTS');
    expect(read('out/config.json')).toBe('new');
    expect(readdirSync(folder)).toEqual(['out']);
  });
});

describe('publishing', () => {
  it('does not replace what another program made meanwhile', () => {
    const staged = stage('a.onnx', 'ours');
    outputCalls.lstatSync = (() => undefined) as unknown as typeof outputCalls.lstatSync;
    writeFileSync(join(folder, 'a.onnx'), 'theirs');
    expect(codeOf(() => staged.publishFiles(['a.onnx']))).toBe('E_OUTPUT_EXISTS');
    staged.discard();
    expect(read('a.onnx')).toBe('theirs');
  });

  it('does so also where there are no hard links, and for folders', async () => {
    const { linkSync, lstatSync } = await import('node:fs');
    outputCalls.linkSync = () => {
      throw Object.assign(new Error('EPERM'), { code: 'EPERM' });
    };
    outputCalls.lstatSync = lstatSync;
    stage('a.onnx', 'ours').publishFiles(['a.onnx']);
    expect(read('a.onnx')).toBe('ours');
    const two = stage('b.onnx', 'new', { force: true });
    writeFileSync(join(two.folder, 'b.onnx_data'), 'new data');
    writeFileSync(join(folder, 'b.onnx'), 'old');
    writeFileSync(join(folder, 'b.onnx_data'), 'old data');
    two.publishFiles(['b.onnx_data', 'b.onnx']);
    expect([read('b.onnx'), read('b.onnx_data')]).toEqual(['new', 'new data']);
    const staged = stage('out', 'ours', { kind: 'folder' });
    mkdirSync(join(folder, 'out'));
    writeFileSync(join(folder, 'out/theirs'), '');
    expect(codeOf(() => staged.publishFolder())).toBe('E_OUTPUT_EXISTS');
    staged.discard();
    expect(readdirSync(join(folder, 'out'))).toEqual(['theirs']);
    outputCalls.linkSync = linkSync;
  });

  it.each<[string, (path: string) => void, 'file' | 'folder', string]>([
    ['a folder by a file', (path) => mkdirSync(path), 'file', 'is a folder'],
    ['a file by a folder', (path) => writeFileSync(path, 'x'), 'folder', 'is a file'],
    [
      'a folder without a model',
      (path) => {
        mkdirSync(path);
        writeFileSync(join(path, 'thesis.txt'), '');
      },
      'folder',
      'thesis',
    ],
  ])('does not replace %s, not even with --force', (_, make, kind, message) => {
    make(join(folder, 'out'));
    const before = snapshot(folder);
    expect(() => new StagedOutput(join(folder, 'out'), { kind, force: true })).toThrow(message);
    expect(snapshot(folder)).toEqual(before);
  });

  it('replaces a link, not what it leads to', () => {
    writeFileSync(join(folder, 'precious'), 'precious');
    symlinkSync('precious', join(folder, 'a.onnx'));
    expect(codeOf(() => stage('a.onnx', 'new'))).toBe('E_OUTPUT_EXISTS');
    stage('a.onnx', 'new', { force: true }).publishFiles(['a.onnx']);
    expect([read('precious'), read('a.onnx')]).toEqual(['precious', 'new']);
  });

  it('refuses the root, and places below a file', () => {
    expect(codeOf(() => new StagedOutput('/', { kind: 'folder', force: true }))).toBe('E_USAGE');
    writeFileSync(join(folder, 'file'), '');
    expect(codeOf(() => new StagedOutput(join(folder, 'file/a.onnx')))).toBe('E_IO');
  });
});

describe('leaving', () => {
  it('takes what was staged and folders that were made for it along', () => {
    stage('a.onnx', 'x');
    new StagedOutput(join(folder, 'new/deep/b.onnx'));
    discardStaged();
    expect(readdirSync(folder)).toEqual([]);
  });

  it('happens at the exit of a process, too', () => {
    const source = join(import.meta.dirname, '../../dist/node/index.js');
    if (!existsSync(source)) return;
    const code = `const { StagedOutput } = await import(${JSON.stringify(source)});
      new StagedOutput(${JSON.stringify(join(folder, 'a.onnx'))}); process.exit(5);`;
    expect(spawnSync('node', ['--input-type=module', '-e', code]).status).toBe(5);
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe('FileSink', () => {
  it('does not write over a file, nor after it is closed, nor for ever', () => {
    const path = join(folder, 'file');
    const sink = new FileSink(path, 4);
    expect(codeOf(() => new FileSink(path, 4))).toBe('E_IO');
    const { writeSync } = outputCalls;
    outputCalls.writeSync = () => 0;
    expect(codeOf(() => sink.writeAt(Uint8Array.of(1, 2), 0))).toBe('E_IO');
    outputCalls.writeSync = writeSync;
    expect(codeOf(() => sink.writeAt(Uint8Array.of(1, 2), 0))).toBe('E_INTERNAL');
    sink.close();
  });
});
