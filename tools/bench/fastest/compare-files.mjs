import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { core, coreNode, onnxruntime, programFolder } from '../lib/packages.mjs';

/** Relative RMS of all outputs against what is expected, over all inputs. */
export async function errorOf(session, feeds, expected) {
  let [errorSquares, squares] = [0, 0];
  for (const [index, one] of feeds.entries()) {
    for (const sums of core.compareOutputs(expected[index], await session.run(one)).values()) {
      // What is not finite adds no error; it must not pass for right.
      if (sums.nonFinite > 0) return Number.POSITIVE_INFINITY;
      errorSquares += sums.errorSquares;
      squares += sums.squares;
    }
  }
  return Math.sqrt(errorSquares / squares);
}

/**
 * How many integer outputs of a file differ from exact arithmetic on this CPU. Products between QuantizeLinear and
 * DequantizeLinear are looked at in the form that the runtime makes of them.
 *
 * @returns {Promise<{ nodes: number, outputs: number, wrong: number, notTapped: number } | { problem: string }>}
 */
export async function wrongIntegersOf(path, feeds, folder) {
  const fusedPath = join(folder, 'fused.onnx');
  const tappedPath = join(folder, 'tapped.onnx');
  let loaded = coreNode.loadModelSync(path);
  try {
    if (core.hasProductsBetweenIntegers(loaded.model)) {
      loaded.close();
      const options = { optimization: 'extended', optimizedModelPath: fusedPath, threads: 1, from: programFolder };
      await (await onnxruntime.createSession({ path }, options)).close();
      loaded = coreNode.loadModelSync(fusedPath);
    }
    const { taps, notTapped } = core.tapIntegerProducts(loaded.model);
    if (taps.length === 0) return { problem: 'none of its products can be computed again' };
    writeFileSync(tappedPath, core.serializeModel(loaded.model));
    return await checkTapped(tappedPath, taps, notTapped, feeds);
  } catch (error) {
    return { problem: error.message.split('\n')[0].slice(0, 120) };
  } finally {
    loaded.close();
    for (const file of [fusedPath, tappedPath]) rmSync(file, { force: true });
  }
}

async function checkTapped(path, taps, notTapped, feeds) {
  const options = { optimization: 'disabled', threads: 1, from: programFolder };
  const session = await onnxruntime.createSession({ path }, options);
  try {
    return await core.runIntegerCheck(session, taps, notTapped, feeds);
  } finally {
    await session.close();
  }
}
