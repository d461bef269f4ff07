import type { TensorData } from '@optimum/core';
import { nameIn } from './claim-model.ts';
import type { Subject } from './subject.ts';

/** The output of a subject that is farthest past its bound, in words; `undefined` when all are within. */
export function firstOutside(
  subjects: readonly Subject[],
  outputs: Readonly<Record<string, TensorData>>,
): string | undefined {
  for (const [index, subject] of subjects.entries()) {
    const problem = outsideOf(subject, outputs[nameIn(index, 'y')]);
    if (problem) return `${subject.label}: ${problem}`;
  }
  return undefined;
}

function outsideOf({ expected, allowed, outputDims }: Subject, output: TensorData | undefined): string | undefined {
  const values = output?.elementType === 'float32' ? new Float32Array(Uint8Array.from(output.bytes).buffer) : undefined;
  if (values?.length !== expected.length)
    return `expected float32 [${outputDims}], got ${output ? `${output.elementType} [${output.dims}]` : 'nothing'}`;
  let worst = -1;
  let wrong = 0;
  // Written so that NaN is outside.
  const excess = (at: number): number => {
    const difference = Math.abs((values[at] as number) - (expected[at] as number));
    if (difference <= (allowed[at] as number)) return 0;
    return Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference / (allowed[at] as number);
  };
  for (let at = 0; at < values.length; at++) {
    if (excess(at) === 0) continue;
    wrong++;
    if (worst < 0 || excess(at) > excess(worst)) worst = at;
  }
  if (worst < 0) return undefined;
  return `${wrong} of ${values.length} outputs are outside of the bound; number ${worst} is ${values[worst]}, expected ${expected[worst]} ± ${(allowed[worst] as number).toPrecision(3)}`;
}
