import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { coreNode, programFolder } from '../lib/packages.mjs';

/** Answers that are right for a model in which there is nothing to do. */
const honest = new Set(['E_NOTHING_TO_QUANTIZE', 'E_NOTHING_GAINED', 'E_ALREADY_QUANTIZED']);

/** A model with planted outliers may be refused: 8 bits break it, and saying so is the right answer. */
const isHonest = (verdict, name) => honest.has(verdict) || (verdict === 'E_VERIFY_NUMERIC' && name.includes('outlier'));

/**
 * @typedef {object} ZooRow
 * @property {string} name
 * @property {string} group
 * @property {string} verdict `quantized` or an error code
 * @property {string} [failure] what is wrong, in one line
 * @property {object} [session] report of the session
 */

/** Quantizes one file as the command would, with the proof; nothing is kept. @returns {Promise<ZooRow>} */
export async function quantizeFile({ name, group, path }, folder, verify) {
  const output = join(folder, 'output.onnx');
  try {
    const options = { input: path, output, force: true, verify, programFolder, projectFolder: programFolder };
    const report = await coreNode.quantize(options);
    const [session] = report.sessions;
    return { name, group, verdict: session.status, session: withoutPlan(session), failure: failureOf(session, verify) };
  } catch (error) {
    const verdict = error.code ?? 'crash';
    const failure = isHonest(verdict, name) ? undefined : `${verdict}: ${firstLine(error)}`;
    return { name, group, verdict, failure, message: firstLine(error) };
  } finally {
    rmSync(output, { force: true });
    rmSync(`${output}_data`, { force: true });
  }
}

const withoutPlan = ({ plan: _plan, ...session }) => session;

const firstLine = (error) => String(error.message).split('\n')[0].slice(0, 240);

/** Operators whose integer form is a product that the proof compares with exact arithmetic. */
const products = ['MatMul', 'Gemm'];

function failureOf({ bytes, operators, verification }, verify) {
  if (bytes.after >= bytes.before) return `larger than its input: ${bytes.after} bytes of ${bytes.before}`;
  if (!verify) return undefined;
  if (verification.status !== 'verified') return `unverified: ${verification.reason}`;
  if (verification.integers.wrong > 0) return `${verification.integers.wrong} integer outputs are wrong`;
  const expected = products.reduce((sum, op) => sum + (operators[op]?.integer ?? 0), 0);
  if (expected > 0 && !(verification.integers.outputs > 0)) return `none of ${expected} integer products was checked`;
  return undefined;
}
