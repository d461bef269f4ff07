import { OptimumError } from '../foundation/index.ts';
import type { ObservationRequest } from '../observe/index.ts';

/** Name under which the observation of a request is kept: a tensor that is divided is another tensor. */
export const requestKey = ({ tensor, divisor }: ObservationRequest): string => (divisor ? `${tensor}|divided` : tensor);

/**
 * One request for each tensor (and one for it divided), so that all algorithms are served by one collection: the highest
 * detail, the channels that one asks for, the most rows. In the order of their keys.
 * @throws E_USAGE when two requests ask for channels along different axes of a tensor, or divide it differently
 */
export function mergeRequests(requests: readonly ObservationRequest[]): ObservationRequest[] {
  const merged = new Map<string, ObservationRequest>();
  for (const request of requests) {
    const key = requestKey(request);
    const before = merged.get(key);
    merged.set(key, before ? mergeTwo(before, request) : request);
  }
  const keys = [...merged.keys()].sort();
  return keys.map((key) => normalized(merged.get(key) as ObservationRequest));
}

function mergeTwo(a: ObservationRequest, b: ObservationRequest): ObservationRequest {
  const { tensor, divisor } = a;
  if (a.channelAxis !== undefined && b.channelAxis !== undefined && a.channelAxis !== b.channelAxis)
    throw conflict(tensor, `channels along axis ${a.channelAxis} and along axis ${b.channelAxis}`);
  if (divisor && !isEqual(divisor, b.divisor ?? [])) throw conflict(tensor, 'two different divisors');
  const channelAxis = a.channelAxis ?? b.channelAxis;
  const rows = Math.max(a.rows ?? 0, b.rows ?? 0);
  return {
    tensor,
    detail: a.detail === 'histogram' ? a.detail : b.detail,
    ...(channelAxis !== undefined && { channelAxis }),
    ...(rows > 0 && { rows }),
    ...(divisor && { divisor }),
  };
}

/** Equal requests are equal as JSON: they are hashed. */
function normalized({ tensor, detail, channelAxis, rows, divisor }: ObservationRequest): ObservationRequest {
  return {
    tensor,
    detail,
    ...(channelAxis !== undefined && { channelAxis }),
    ...(rows && { rows }),
    ...(divisor && { divisor: [...divisor] }),
  };
}

const isEqual = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((value, index) => value === b[index]);

const conflict = (tensor: string, what: string): OptimumError =>
  new OptimumError('E_USAGE', `Two requests for "${tensor}" do not go together: ${what}.`, {
    hint: 'Collect statistics for each of them on its own.',
    context: { tensor },
  });
