import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { tensorOf } from '../../ir/index.ts';
import { flippedTensor } from './flipped-tensor.ts';

describe('flippedTensor', () => {
  it('subtracts 128 from unsigned bytes and adds it to signed ones', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 50 }), (bytes) => {
        const flipped = flippedTensor(tensorOf('uint8', [bytes.length], bytes));
        expect(flipped.elementType).toBe('int8');
        expect([...new Int8Array(new Uint8Array(flipped.bytes()).buffer)]).toEqual(
          [...bytes].map((byte) => byte - 128),
        );
        const back = flippedTensor(flipped);
        expect(back.elementType).toBe('uint8');
        expect([...back.bytes()]).toEqual([...bytes]);
      }),
    );
  });
});
