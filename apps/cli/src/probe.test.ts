import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { costTablePath, costTableSubject } from '../../../packages/core/src/node/cost-table-file.ts';
import { readCpuFacts } from '../../../packages/core/src/node/cpu-facts.ts';
import { tableOf } from '../../../packages/core/src/node/test-cost-table.ts';
import { onnxruntime } from '../../../packages/runtime-onnxruntime/src/index.ts';
import { optimum } from '../../../tools/testing/cli.ts';
import { writeTiny } from '../../../tools/testing/tiny-models.ts';

let folder: string;
let path: string;
const cache = (): string => join(folder, 'cache');
const run = (...args: string[]) => optimum(args, { cwd: folder, env: { OPTIMUM_CACHE: cache() } });

/** A table of this machine, as if it had been measured: int8 takes 2 µs and a quarter of the time of float32. */
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'optimum-probe-'));
  await writeTiny(join(folder, 'model.onnx'));
  vi.stubEnv('OPTIMUM_CACHE', cache());
  const subject = await costTableSubject(onnxruntime, readCpuFacts(), import.meta.dirname);
  if (!subject) throw new Error('the runtime is not installed');
  path = costTablePath(subject);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, JSON.stringify(tableOf(onnxruntime, subject.runtime.version, (us) => 2 + us / 4)));
});
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

describe('optimum probe', () => {
  it('shows what is kept: kernels by shape, and what the arithmetic does', () => {
    const { code, out } = run('probe');
    expect(code).toBe(0);
    expect(out).toMatch(/matmul-u8s8-dynamic +128×1024×1024 +673 µs +398\.\d +3\.\d\d×/);
    expect(out).toMatch(/u8 × s8 +exact, 3\.\d\d× of float32/);
    expect(out).toContain(path);
  });

  it('gives the table as JSON', () => {
    const result = JSON.parse(run('probe', '--json').out);
    expect(result).toMatchObject({ origin: 'kept', path, table: { schemaVersion: 1, behaviour: { u8s8: 'exact' } } });
  });

  it('is known to doctor', () => {
    expect(run('doctor').out).toMatch(/probe +kernels measured 1970/);
    expect(optimum(['doctor'], { cwd: folder }).out).toMatch(/kernels not measured: optimum probe/);
  });
});

describe('optimum explain', () => {
  const explain = (...args: string[]) => run('explain', 'model.onnx', ...args);

  it('says what a node takes in each form, and why it stays float', () => {
    const { code, out } = explain('--node', 'layer.0/MatMul', '--batch', '128');
    expect(code).toBe(0);
    expect(out).toMatch(/shapes +\[128, 64\] \[64, 64\] → \[128, 64\]/);
    expect(out).toMatch(/decision +integer \(matmul\) as matmul-dynamic/);
    expect(out).toMatch(/dynamic u8s8 +\d\.\d\d µs +\d\.\d\d× of float32/);
    expect(out).toMatch(/refused +matmul-dynamic-u8s8-arm .*the target lacks dotprod, or i8mm/);
  });

  it('knows other targets, of which there are no times here', () => {
    const { out } = explain('--node', 'layer.1/MatMul', '--target', 'cascade-lake', '--json');
    const explained = JSON.parse(out);
    expect(explained).toMatchObject({ op: 'MatMul', target: 'cascade-lake', times: [] });
    expect(explained.decision).toMatchObject({ action: 'matmul', capability: 'matmul-dynamic-u8s8-vnni' });
    expect(explained.claims[0]).toMatchObject({ id: 'matmul-dynamic-u8s8-vnni', verdict: 'chosen' });
    const why = new Map(explained.claims.map((claim: { id: string; why: string }) => [claim.id, claim.why]));
    expect(why.get('matmul-dynamic-u8s8-pairs')).toMatch(/there is a better kernel/);
    expect(why.get('matmul-dynamic-u8u8-x86')).toMatch(/another one is faster/);
  });

  it('looks at operators without a decision too', () => {
    const { out } = explain('--node', 'Relu#0', '--target', 'portable', '--json');
    expect(JSON.parse(out)).toMatchObject({ op: 'Relu', claims: [] });
  });

  it('suggests names that are near', () => {
    const { code, err } = explain('--node', 'layer.1/MatMull');
    expect(code).toBe(2);
    expect(err).toContain('Did you mean "layer.1/MatMul"');
  });
});

describe('optimum quantize with a table', () => {
  it('leaves in float what gets no faster at the given sizes', () => {
    const { code, err } = run('quantize', 'model.onnx', '--dry-run');
    expect(code).toBe(22);
    expect(err).toMatch(/Nothing in this model gets faster .*1×64 times 64×64 takes 2\.\d µs as int8/);
    const plan = JSON.parse(run('quantize', 'model.onnx', '--dry-run', '--batch', '128', '--json').out);
    expect(plan.costTable).toMatch(/^onnxruntime-/);
    expect(plan.entries.every(({ decision }: { decision: { action: string } }) => decision.action === 'matmul')).toBe(
      true,
    );
  });
});
