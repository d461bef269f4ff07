import { type Dim, type ElementType, requiredInputs } from '@optimum/core';
import { loadModelSync, resolveModelInput } from '@optimum/core/node';

/** What a session has to be given. */
export interface SessionInput {
  readonly name: string;
  readonly elementType: ElementType;
  readonly shape: readonly Dim[] | undefined;
}

/** The inputs of one session of a model folder. */
export interface SessionInputs {
  readonly name: string;
  readonly inputs: readonly SessionInput[];
}

/** Inputs of every session of a model folder, or of one `.onnx` file. @throws what loading a model throws */
export function readSessionInputs(model: string): SessionInputs[] {
  return resolveModelInput(model).sessions.map(({ name: session, input }) => {
    const loaded = loadModelSync(input);
    try {
      const inputs = requiredInputs(loaded.model).flatMap(({ name, elementType, shape }) =>
        name && elementType ? [{ name, elementType, shape }] : [],
      );
      return { name: session, inputs };
    } finally {
      loaded.close();
    }
  });
}

/** Inputs of all sessions, each name once. */
export const unionOfInputs = (sessions: readonly SessionInputs[]): ReadonlyMap<string, SessionInput> =>
  new Map(sessions.flatMap(({ inputs }) => inputs.map((input) => [input.name, input] as const)));
