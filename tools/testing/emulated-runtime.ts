import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { EmulatedCpu } from '../../packages/backend-testkit/src/index.ts';
import type { ModelSource, Session, SessionOptions, TensorData } from '../../packages/core/src/backend/index.ts';
import type { ElementType } from '../../packages/core/src/ir/index.ts';
import { root } from './zoo.ts';

const emulator = 'qemu-x86_64';

/**
 * An Intel Haswell: AVX2 and no dot products of 8 bits, so that pairs of products saturate. None where the emulator is
 * missing (Debian: qemu-user), which is said.
 */
export function emulatedHaswell(): EmulatedCpu[] {
  const hasEmulator = process.arch === 'x64' && spawnSync(emulator, ['--version']).status === 0;
  if (!hasEmulator) {
    console.warn(`claims about CPUs without VNNI are not executed: ${emulator} is not installed (Debian: qemu-user)`);
    return [];
  }
  const createSession = async (model: ModelSource, options?: SessionOptions) => sessionOn('Haswell', model, options);
  return [{ name: 'Haswell (qemu)', features: ['avx2'], runtime: { createSession } }];
}

/** A session that loads and runs in one emulated process: starting it is what takes time. */
function sessionOn(cpu: string, model: ModelSource, options: SessionOptions = {}): Session {
  const nobodyAsks = async (): Promise<never> => {
    throw new Error('An emulated session only runs.');
  };
  return {
    inputs: [],
    outputs: [],
    loadMs: 0,
    run: (feeds) => runOn(cpu, model, feeds, options),
    time: nobodyAsks,
    observe: nobodyAsks,
    observations: nobodyAsks,
    sampledRows: nobodyAsks,
    profile: nobodyAsks,
    residentBytes: nobodyAsks,
    close: async () => undefined,
  };
}

type Encoded = Readonly<Record<string, { elementType: ElementType; dims: readonly number[]; base64: string }>>;

async function runOn(
  cpu: string,
  source: ModelSource,
  feeds: Readonly<Record<string, TensorData>>,
  { optimization = 'all', optimizedModelPath, timeLimitMs }: SessionOptions,
): Promise<Record<string, TensorData>> {
  const folder = mkdtempSync(join(tmpdir(), 'optimum-emulated-'));
  try {
    const [model, job, result] = ['model.onnx', 'job.json', 'result.json'].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    if ('bytes' in source) writeFileSync(model, source.bytes);
    const native = {
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
      graphOptimizationLevel: optimization,
      ...(optimizedModelPath && { optimizedModelFilePath: optimizedModelPath }),
    };
    const encoded = Object.entries(feeds).map(([name, { elementType, dims, bytes }]) => [
      name,
      { elementType, dims, base64: Buffer.from(bytes).toString('base64') },
    ]);
    const path = 'path' in source ? source.path : model;
    writeFileSync(job, JSON.stringify({ model: path, feeds: Object.fromEntries(encoded), options: native }));
    const entry = createRequire(join(root, 'packages/runtime-onnxruntime/package.json')).resolve('onnxruntime-node');
    // The emulator has no executable memory for the engine's compiler to write to at speed.
    const node = [process.execPath, '--jitless', join(root, 'tools/testing/emulated-session.mjs')];
    await promisify(execFile)(emulator, ['-cpu', cpu, ...node, entry, job, result], { timeout: timeLimitMs });
    return Object.fromEntries(
      Object.entries(JSON.parse(readFileSync(result, 'utf8')) as Encoded).map(
        ([name, { elementType, dims, base64 }]) => [
          name,
          { elementType, dims, bytes: new Uint8Array(Buffer.from(base64, 'base64')) },
        ],
      ),
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
