import { type Model, parseModel, type TensorData } from '@optimum/core';
import { countOf, type Numbers, type Subject } from './subject.ts';

/** Name of a subject's value in the model of all subjects. */
export const nameIn = (subject: number, name: string): string => `s${subject}_${name}`;

const withNames = (text: string, subject: number): string => text.replace(/\$/g, `s${subject}_`);

const onnxType = ({ elementType, dims }: Omit<Numbers, 'values'>): string =>
  `${elementType === 'float32' ? 'float' : elementType}[${dims}]`;

/** All subjects side by side in one model: `s0_x0` → `s0_y`, `s1_x0` → `s1_y`, … */
export function modelOf(subjects: readonly Subject[], opset: number): Model {
  const inputs = subjects.flatMap((subject, index) =>
    subject.inputs.map((input, ordinal) => `${onnxType(input)} ${nameIn(index, `x${ordinal}`)}`),
  );
  const outputs = subjects.map(({ outputDims }, index) => `float[${outputDims}] ${nameIn(index, 'y')}`);
  const constants = subjects.flatMap((subject, index) =>
    Object.entries(subject.constants).map(
      ([name, numbers]) => `${onnxType(numbers)} ${nameIn(index, name)} = {${[...numbers.values].join()}}`,
    ),
  );
  const body = subjects.map((subject, index) => withNames(subject.body, index)).join('  ');
  // The newest format that a model of so old an opset may have; blocks of 4 bits came with 10.
  const irVersion = opset < 13 ? 7 : opset < 21 ? 8 : 10;
  return parseModel(
    `<ir_version: ${irVersion}, opset_import: ["": ${opset}, "com.microsoft": 1]>
     claim (${inputs}) => (${outputs}) ${constants.length > 0 ? `<${constants}>` : ''} { ${body} }`,
    { name: 'the model of a claim' },
  );
}

/** The inputs of all subjects. */
export function feedsOf(subjects: readonly Subject[]): Record<string, TensorData> {
  return Object.fromEntries(
    subjects.flatMap(({ inputs }, index) =>
      inputs.map((input, ordinal) => [nameIn(index, `x${ordinal}`), tensorDataOf(input)]),
    ),
  );
}

function tensorDataOf({ elementType, dims, values }: Numbers): TensorData {
  if (elementType === 'int64') {
    const data = BigInt64Array.from({ length: countOf(dims) }, (_, at) => BigInt(values[at] as number));
    return { elementType, dims, bytes: new Uint8Array(data.buffer) };
  }
  return { elementType, dims, bytes: new Uint8Array(Float32Array.from(values).buffer) };
}
