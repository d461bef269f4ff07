import { describe, expect, it } from 'vitest';
import { featuresOf } from '../backend/index.ts';
import { parseCpuInfo, parseSysctl, readCpuFacts } from './cpu-facts.ts';
import { recordedCpus, recordedFacts, recordedText } from './cpu-facts-recorded.ts';

describe('/proc/cpuinfo', () => {
  it('tells vendor, family, model, stepping and flags of an x86 CPU', () => {
    const facts = recordedFacts('xeon-sapphire-rapids-8480');
    expect(facts).toMatchObject({ vendor: 'GenuineIntel', family: 6, model: 143, stepping: 6, threads: 8 });
    expect(facts.modelName).toBe('Intel(R) Xeon(R) Platinum 8480+');
    expect(facts.flags).toEqual(expect.arrayContaining(['avx512_vnni', 'avx_vnni', 'amx_int8']));
  });

  it('tells implementer and part of an Arm core', () => {
    expect(recordedFacts('graviton3')).toMatchObject({ vendor: 'ARM', model: 0xd40, stepping: 1, family: undefined });
  });

  it('keeps only the flags that every core has', () => {
    const core = (part: string, flags: string) =>
      `processor: ${part}\nFeatures: ${flags}\nCPU implementer: 0x41\nCPU part: ${part}\n`;
    const text = [core('0xd05', 'asimd asimddp'), core('0xd41', 'asimd asimddp i8mm bf16')].join('\n');
    expect(parseCpuInfo(text, 'arm64', 8)).toMatchObject({ model: 0xd05, flags: ['asimd', 'asimddp'] });
    // Old Arm kernels list the features once, in a block of their own.
    expect(parseCpuInfo('processor: 0\n\nprocessor: 1\n\nFeatures: fp asimd\n', 'arm64', 2).flags).toEqual([
      'fp',
      'asimd',
    ]);
  });

  it.each(['', '\n\n', 'flags', ':', 'flags:\n\nflags: avx2'])('%j is no reason to fail', (text) => {
    expect(parseCpuInfo(text, 'x64', 4, 'a CPU')).toMatchObject({ modelName: 'a CPU', flags: [], threads: 4 });
  });
});

describe('sysctl', () => {
  it.each([
    ['apple-m1-macos-12', 'Apple M1 Pro', ['neon', 'dotprod']],
    ['apple-m3-macos-15', 'Apple M3 Max', ['neon', 'dotprod', 'i8mm', 'arm-bf16']],
    // macOS 11 lists no Arm features, so nothing but the baseline is known.
    ['apple-m1-macos-11', 'Apple processor', ['neon']],
  ])('%s', (name, modelName, features) => {
    const facts = recordedFacts(name);
    expect(facts).toMatchObject({ vendor: 'Apple', modelName });
    expect(featuresOf(facts)).toEqual(features);
  });

  it('is no reason to fail when it says nothing', () => {
    expect(parseSysctl('', 'arm64', 8, 'a Mac')).toEqual({
      architecture: 'arm64',
      vendor: 'Apple',
      modelName: 'a Mac',
      flags: [],
      threads: 8,
    });
  });
});

describe('this machine', () => {
  it('has facts', () => {
    const facts = readCpuFacts();
    expect(facts.architecture).toBe(process.arch);
    expect(facts.threads).toBeGreaterThan(0);
  });

  it('is one of many: each recorded machine says where it is from', () => {
    expect(recordedCpus.length).toBeGreaterThan(20);
    for (const name of recordedCpus) expect(recordedText(name)).not.toMatch(/^#/);
  });
});
