import { describe, expect, it } from 'vitest';
import { integerProduct, isPairSafe } from './saturation.ts';

/** The activations by which a pair saturates first: the runtime's products are linear in each of them. */
const corners = [0, 255];

describe('isPairSafe', () => {
  it('is exact for all 65,536 pairs of weights', () => {
    let risky = 0;
    for (let v = -128; v < 128; v++) {
      for (let w = -128; w < 128; w++) {
        const sums = corners.flatMap((a) => corners.map((b) => a * v + b * w));
        const saturates = sums.some((sum) => sum > 32767 || sum < -32768);
        if (isPairSafe(Int8Array.of(v, w)) === saturates) throw new Error(`${v}, ${w}`);
        if (saturates) risky++;
      }
    }
    expect(risky).toBeGreaterThan(16_000);
  });

  it('pairs neighbours, and a last odd weight with nothing', () => {
    expect(isPairSafe(Int8Array.of(127, 1, 127, 1))).toBe(true);
    expect(isPairSafe(Int8Array.of(1, 127, 127, 1))).toBe(true);
    expect(isPairSafe(Int8Array.of(127, 2, 0))).toBe(false);
    expect(isPairSafe(Int8Array.of(0, 0, 127))).toBe(true);
    expect(isPairSafe(Int8Array.of(-128, 127))).toBe(true);
    expect(isPairSafe(new Int8Array(0))).toBe(true);
  });
});

describe('integerProduct', () => {
  it('loses what a pair has past 16 bits, whatever the zero point', () => {
    const a = Uint8Array.of(255, 255);
    const w = Int8Array.of(127, 127);
    expect(integerProduct(a, w, 0)).toEqual({ exact: 64_770, saturating: 32_767 });
    expect(integerProduct(a, w, 128)).toEqual({ exact: 127 * 127 * 2, saturating: 127 * 127 * 2 - (64_770 - 32_767) });
  });

  it('loses nothing with weights that are pair-safe', () => {
    const w = Int8Array.of(100, 28, -64, -64, 127, -127);
    const { exact, saturating } = integerProduct(Uint8Array.of(255, 255, 255, 255, 255, 255), w, 3);
    expect(saturating).toBe(exact);
  });
});
