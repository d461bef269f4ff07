import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseModel, type SessionReport, serializeModel } from '@optimum/core';
import { loadModel, quantize, saveModel } from '@optimum/core/node';
import { afterAll, describe, expect, it } from 'vitest';
import { root } from '../../../tools/testing/zoo.ts';

// Graphs that trip quantizers, made as a library user makes them and proven on the runtime.
const folder = mkdtempSync(join(tmpdir(), 'optimum-graphs-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function quantized(
  name: string,
  text: string,
  options: { target?: string; recipe?: string } = {},
): Promise<SessionReport> {
  const input = join(folder, `${name}.onnx`);
  await saveModel(parseModel(text), input, { force: true });
  const output = join(folder, `${name}-${options.target ?? 'here'}-${options.recipe ?? 'latency'}.onnx`);
  const report = await quantize({ input, output, projectFolder: join(root, 'apps/cli'), timing: false, ...options });
  const [session] = report.sessions;
  if (session?.verification.status !== 'verified') throw new Error(JSON.stringify(session?.verification));
  expect(session.verification.integers.wrong).toBe(0);
  return session;
}

/** Integer products that were checked, all exact, and the largest error of an output. */
function proofOf({ verification }: SessionReport): {
  products: number;
  relativeError: number;
  notChecked: readonly string[];
} {
  if (verification.status !== 'verified') throw new Error('not verified');
  const { integers, relativeError, notChecked } = verification;
  return { products: integers.nodes, relativeError, notChecked };
}

/** A model in text; a weight that is written without data gets made-up content. */
const model = (opset: number, body: string, ir = 8): string => {
  const filled = body.replace(
    /<(float\[[^<>]*)>/g,
    (_, list: string) => `<${list.replace(/(\w+)(, float|$)/g, fill)}>`,
  );
  return `<ir_version: ${ir}, opset_import: ["": ${opset}]> ${filled}`;
};

const fill = (_: string, name: string, rest: string): string => `${name} = ["elided": "${name}"]${rest}`;

const graphs: Readonly<Record<string, { text: string; products: number }>> = {
  'a tied table and head': {
    text: model(
      17,
      `g (int64[b,s] ids) => (float[b,s,300] logits) <float[300,64] table>
      { h = Gather (table, ids)  t = Transpose <perm = [1, 0]> (table)  logits = MatMul (h, t) }`,
    ),
    products: 1,
  },
  'a tied table and Gemm head': {
    text: model(
      17,
      `g (int64[s] ids) => (float[s,300] logits) <float[300,64] table>
      { h = Gather (table, ids)  logits = Gemm <transB = 1> (h, table) }`,
    ),
    products: 1,
  },
  'queries, keys and values of one activation': {
    text: model(
      17,
      `g (float[b,s,64] x) => (float[b,s,64] y) <float[64,64] q, float[64,64] k, float[64,64] v>
      { a = MatMul (x, q)  b = MatMul (x, k)  c = MatMul (x, v)  d = Add (a, b)  y = Add (d, c) }`,
    ),
    products: 3,
  },
  'Gemm with alpha, beta and a shared transposed weight': {
    text: model(
      13,
      `g (float[n,48] x) => (float[n,96] z, float[32,48] r) <float[32,48] w, float[32] c, float[32,96] v>
      { y = Gemm <alpha = 0.25, beta = 1.5, transB = 1> (x, w, c)  z = MatMul (y, v)  r = Relu (w) }`,
    ),
    products: 2,
  },
  'an odd inner dimension and one column': {
    text: model(
      17,
      `g (float[n,33] x) => (float[n,1] y) <float[33,17] a, float[17,1] b> { h = MatMul (x, a)  y = MatMul (h, b) }`,
    ),
    products: 2,
  },
  'opset 9': {
    text: model(
      9,
      `g (float[n,64] x) => (float[n,64] y) <float[64,64] a, float[64,64] b> { h = MatMul (x, a)  r = Relu (h)  y = MatMul (r, b) }`,
      4,
    ),
    products: 2,
  },
  'weights that are inputs (IR 3)': {
    text: model(11, `g (float[n,64] x, float[64,64] w = ["elided": "w"]) => (float[n,64] y) { y = MatMul (x, w) }`, 3),
    products: 1,
  },
};

describe('graphs that trip quantizers', () => {
  it.each(Object.entries(graphs))('%s', async (name, { text, products }) => {
    for (const target of ['portable', undefined]) {
      const session = await quantized(name.replaceAll(' ', '-'), text, target ? { target } : {});
      const proof = proofOf(session);
      expect(proof.products).toBe(products);
      expect(proof.relativeError).toBeLessThan(0.03);
    }
  });

  it('weights in branches and around them', async () => {
    const session = await quantized(
      'branches',
      model(
        17,
        `g (bool c, float[n,64] x) => (float[n,64] y) <float[64,64] outer>
        { y = If (c) <
            then_branch = t () => (float[n,64] a) { a = MatMul (x, outer) },
            else_branch = e () => (float[n,64] b) <float[64,64] inner> { b = MatMul (x, inner) }
          > }`,
      ),
    );
    expect(session.operators.MatMul).toEqual({ integer: 2, total: 2 });
    expect(proofOf(session).relativeError).toBeLessThan(0.03);
    expect(proofOf(session).products).toBe(2);
  });

  it('convolutions of the compatible recipe', async () => {
    const session = await quantized(
      'convolution',
      model(
        17,
        `g (float[b,3,16,16] pixels) => (float[b,8,14,14] y) <float[8,3,3,3] f, float[8] bias> { y = Conv (pixels, f, bias) }`,
      ),
      { recipe: 'compatible' },
    );
    expect(session.operators).toEqual({ Conv: { integer: 1, total: 1 } });
    expect(proofOf(session).relativeError).toBeLessThan(0.03);
  });

  it('reads what it wrote, again to the same bytes', async () => {
    const input = join(folder, 'again.onnx');
    await saveModel(parseModel(graphs['opset 9']?.text as string), input);
    const output = join(folder, 'again_quantized.onnx');
    await quantize({ input, projectFolder: join(root, 'apps/cli'), verify: false });
    const loaded = await loadModel(output);
    await saveModel(loaded.model, join(folder, 'copy.onnx'));
    const copy = await loadModel(join(folder, 'copy.onnx'));
    expect(Buffer.from(serializeModel(copy.model)).equals(Buffer.from(serializeModel(loaded.model)))).toBe(true);
    copy.close();
    loaded.close();
  });
});
