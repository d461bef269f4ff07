import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ObservationRequest } from '../observe/index.ts';
import { mergeRequests, requestKey } from './merge-requests.ts';

const range = (tensor: string, more: Partial<ObservationRequest> = {}): ObservationRequest => ({
  tensor,
  detail: 'range',
  ...more,
});

describe('mergeRequests', () => {
  it('takes the highest detail, the channels that one asks for, and the most rows', () => {
    const requests = [
      range('b', { rows: 4 }),
      range('a'),
      range('b', { detail: 'histogram' }),
      range('b', { channelAxis: -1, rows: 2 }),
    ];
    expect(mergeRequests(requests)).toEqual([
      range('a'),
      { tensor: 'b', detail: 'histogram', channelAxis: -1, rows: 4 },
    ]);
  });

  it('keeps a tensor that is divided beside the same undivided', () => {
    const divided = range('a', { divisor: [1, 2] });
    const merged = mergeRequests([divided, range('a', { detail: 'histogram' }), { ...divided, divisor: [1, 2] }]);
    expect(merged).toEqual([{ tensor: 'a', detail: 'histogram' }, divided]);
    expect(merged.map(requestKey)).toEqual(['a', 'a|divided']);
  });

  it.each<[string, ObservationRequest, ObservationRequest, RegExp]>([
    ['axes', range('a', { channelAxis: 1 }), range('a', { channelAxis: -1 }), /"a".*along axis 1 and along axis -1/],
    ['divisors', range('a', { divisor: [1, 2] }), range('a', { divisor: [1, 3] }), /"a".*two different divisors/],
    ['divisor lengths', range('a', { divisor: [1] }), range('a', { divisor: [1, 3] }), /two different divisors/],
  ])('refuses different %s', (_, a, b, message) => {
    expect(() => mergeRequests([a, b])).toThrow(expect.objectContaining({ code: 'E_USAGE' }));
    expect(() => mergeRequests([a, b])).toThrow(message);
  });

  it('does not depend on the order of the requests', () => {
    const request = fc.record({
      tensor: fc.constantFrom('a', 'b', 'c'),
      detail: fc.constantFrom('range' as const, 'histogram' as const),
      rows: fc.integer({ min: 0, max: 3 }),
    });
    fc.assert(
      fc.property(fc.array(request), (requests) => {
        const merged = JSON.stringify(mergeRequests(requests));
        expect(JSON.stringify(mergeRequests([...requests].reverse()))).toBe(merged);
        expect(JSON.stringify(mergeRequests(mergeRequests(requests)))).toBe(merged);
      }),
    );
  });
});
