import { core, onnxruntime } from '../lib/packages.mjs';

export const floats = (dims, values) => ({
  elementType: 'float32',
  dims,
  bytes: new Uint8Array(Float32Array.from(values).buffer),
});

export const integers = (dims, values) => ({
  elementType: 'int64',
  dims,
  bytes: new Uint8Array(BigInt64Array.from(values, BigInt).buffer),
});

/** Runs work with a session on one thread. */
export async function withSession(path, work) {
  const session = await onnxruntime.createSession({ path }, { threads: 1 });
  try {
    return await work(session);
  } finally {
    await session.close();
  }
}

/** Share of samples whose largest output is at the label, one sample at a time. */
export async function accuracyOf(path, samples) {
  return withSession(path, async (session) => {
    let right = 0;
    for (const { feeds, label } of samples) {
      const [output] = Object.values(await session.run(feeds));
      const numbers = core.numbersOf(output);
      if (numbers.indexOf(Math.max(...numbers)) === label) right++;
    }
    return right / samples.length;
  });
}
