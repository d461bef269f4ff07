import { describe, expect, it } from 'vitest';
// @ts-expect-error plain JavaScript, so that CI can run it without a build
import { checkImport, checkText } from './rules.mjs';

describe('house rules', () => {
  it('keep the order of rooms', () => {
    expect(checkImport('packages/core/src/onnx/read-model.ts', '../ir/index.ts')).toBeUndefined();
    expect(checkImport('packages/core/src/ir/value.ts', '../onnx/index.ts')).toMatch(/imports room "onnx"/);
    expect(checkImport('packages/core/src/text/print.ts', '../onnx/index.ts')).toMatch(/not before it/);
    expect(checkImport('packages/core/src/attic/x.ts', '../ir/index.ts')).toMatch(/not in the order/);
  });

  it('keep Node out of what runs in a browser', () => {
    expect(checkImport('packages/core/src/kernels/wasm.ts', 'node:fs')).toMatch(/only core\/src\/node/);
    expect(checkImport('packages/core/src/kernels/wasm.ts', 'fs')).toMatch(/only core\/src\/node/);
    expect(checkImport('packages/core/src/node/load-model.ts', 'node:fs')).toBeUndefined();
    expect(checkImport('packages/core/src/kernels/wasm.test.ts', 'node:fs')).toBeUndefined();
  });

  it('keep the direction of packages', () => {
    expect(checkImport('packages/core/src/index.ts', '@optimum/runtime-onnxruntime')).toMatch(/may not import/);
    expect(checkImport('packages/backend-cpu/src/index.ts', '@optimum/runtime-onnxruntime')).toBeUndefined();
    expect(checkImport('apps/cli/src/main.ts', '@optimum/backend-cpu')).toMatch(/may not import/);
  });

  it('find paths of machines', () => {
    expect(checkText('a.md', 'see "/work/x"')).toHaveLength(1);
    expect(checkText('a.md', 'a workflow/root')).toHaveLength(0);
  });
});
