import type { ModelSource, Runtime, Session, SessionOptions, TensorData } from '../backend/index.ts';
import { OptimumError, throwIfAborted } from '../foundation/index.ts';
import type { IdenticalUpTo } from '../quantize/index.ts';
import type { Feeds } from './compare-cases.ts';
import { openExact } from './open-exact.ts';
import { openSessions } from './verify.ts';

const levels = ['disabled', 'basic', 'extended', 'all'] as const;

export type OptimizationLevel = (typeof levels)[number];

/** What came of comparing the outputs of two models byte by byte. */
export interface IdentityCheck {
  /** Up to which level they had to be equal, and were. */
  readonly requiredUpTo: IdenticalUpTo;
  /** Levels at which all outputs are equal. */
  readonly identicalAt: readonly OptimizationLevel[];
  /** Inputs that both were run on, at each level. */
  readonly cases: number;
}

export interface IdentityRequest {
  readonly name: string;
  readonly runtime: Runtime;
  readonly original: { readonly path: string };
  readonly changed: { readonly path: string };
  readonly options: SessionOptions;
  readonly feeds: readonly Feeds[];
  readonly requiredUpTo: IdenticalUpTo;
  /** True where this CPU's kernels saturate; exact ones take their place from level extended on, and are compared alone. */
  readonly saturatesHere: boolean;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs both models at every optimization level of the runtime, and compares their outputs byte by byte.
 * @throws E_VERIFY_NUMERIC where one differs at a level at which it must not, and the runtime's own errors
 */
export async function requireIdentical(request: IdentityRequest): Promise<IdentityCheck> {
  const { requiredUpTo, feeds, name, saturatesHere } = request;
  const identicalAt: OptimizationLevel[] = [];
  for (const level of levels) {
    const differing = await differenceAt(level, request);
    if (!differing) identicalAt.push(level);
    else if (isRequired(level, requiredUpTo) && !(saturatesHere && isAsWritten(level)))
      throw notIdentical(name, differing, level);
  }
  return { requiredUpTo, identicalAt, cases: feeds.length };
}

const isRequired = (level: OptimizationLevel, upTo: IdenticalUpTo): boolean =>
  upTo !== 'none' && levels.indexOf(level) <= levels.indexOf(upTo);

/** The runtime has exchanged no kernels yet. */
const isAsWritten = (level: OptimizationLevel): boolean => level === 'disabled' || level === 'basic';

/** The first output that differs at a level, if one does. */
async function differenceAt(level: OptimizationLevel, request: IdentityRequest): Promise<string | undefined> {
  const { runtime, original, changed, feeds, saturatesHere, signal } = request;
  const open = openSessions(runtime);
  const options = { ...request.options, optimization: level };
  const openOne = (model: ModelSource): Promise<Session> =>
    saturatesHere ? openExact(open, model, options) : open(model, options);
  try {
    const first = await openOne(original);
    const second = await openOne(changed);
    for (const inputs of feeds) {
      throwIfAborted(signal);
      const differing = differingOutput(await first.run(inputs), await second.run(inputs));
      if (differing) return differing;
    }
    return undefined;
  } finally {
    await open.closeAll();
  }
}

type Outputs = Readonly<Record<string, TensorData>>;

/** The name of the first output whose bytes differ. */
export function differingOutput(expected: Outputs, actual: Outputs): string | undefined {
  return Object.keys(expected).find((name) => !isSame(expected[name] as TensorData, actual[name]));
}

function isSame(a: TensorData, b: TensorData | undefined): boolean {
  if (!b || a.elementType !== b.elementType || a.bytes.byteLength !== b.bytes.byteLength) return false;
  if (a.strings?.some((text, index) => text !== b.strings?.[index])) return false;
  return a.dims.join() === b.dims.join() && a.bytes.every((byte, index) => byte === b.bytes[index]);
}

const notIdentical = (name: string, output: string, level: OptimizationLevel): OptimumError =>
  new OptimumError(
    'E_VERIFY_NUMERIC',
    `${name}: output "${output}" differs from that of the given model at optimization level ${level}, though its integers only moved to another type.`,
    {
      context: { output, level },
      hint: 'Nothing was published. This is a bug in Optimum or in the runtime: please report it with the model.',
    },
  );
