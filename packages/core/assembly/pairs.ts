// For rows (0,1), (2,3), …: accumulator[column] = max over pairs of the sum of their positive parts and of their
// negative parts. A last odd row pairs with nothing.
export function pairMaxColumns(x: usize, rows: u32, columns: u32, accumulator: usize): void {
  const stride = <usize>columns << 2;
  const zero = f32x4.splat(0);
  for (let row: u32 = 0; row < rows; row += 2) {
    const a = x + <usize>row * stride;
    const isPair = row + 1 < rows;
    let at: usize = 0;
    for (const end = stride & ~15; at < end; at += 16) {
      const v = v128.load(a + at);
      const w = isPair ? v128.load(a + at + stride) : zero;
      const positive = f32x4.add(f32x4.pmax(zero, v), f32x4.pmax(zero, w));
      const negative = f32x4.add(f32x4.pmax(zero, f32x4.neg(v)), f32x4.pmax(zero, f32x4.neg(w)));
      v128.store(accumulator + at, f32x4.pmax(v128.load(accumulator + at), f32x4.pmax(positive, negative)));
    }
    for (; at < stride; at += 4) {
      const v = load<f32>(a + at);
      const w: f32 = isPair ? load<f32>(a + at + stride) : 0;
      const positive = <f32>((v > 0 ? v : 0) + (w > 0 ? w : 0));
      const negative = <f32>((v < 0 ? -v : 0) + (w < 0 ? -w : 0));
      const most = positive > negative ? positive : negative;
      if (most > load<f32>(accumulator + at)) store<f32>(accumulator + at, most);
    }
  }
}

// Flags columns of a quantized matrix in which a pair of rows can pass 16 bits: positive parts, or negative parts,
// that sum past 128. Returns how many columns are flagged.
export function pairViolationColumns(q: usize, rows: u32, columns: u32, flags: usize): u32 {
  const zero = i8x16.splat(0), limit = i8x16.splat(<i8>128);
  for (let row: u32 = 0; row < rows; row += 2) {
    const a = q + <usize>row * columns;
    const isPair = row + 1 < rows;
    let at: usize = 0;
    for (const end = <usize>columns & ~15; at < end; at += 16) {
      const v = v128.load(a + at);
      const w = isPair ? v128.load(a + at + columns) : zero;
      // As unsigned bytes the sums of two magnitudes of at most 128 fit but for 128 + 128, which saturates to 255.
      const positive = i8x16.add_sat_u(i8x16.max_s(v, zero), i8x16.max_s(w, zero));
      const negative = i8x16.add_sat_u(i8x16.neg(i8x16.min_s(v, zero)), i8x16.neg(i8x16.min_s(w, zero)));
      const risky = i8x16.gt_u(i8x16.max_u(positive, negative), limit);
      v128.store(flags + at, v128.or(v128.load(flags + at), v128.and(risky, i8x16.splat(1))));
    }
    for (; at < <usize>columns; at++) {
      const v = <i32>load<i8>(a + at);
      const w = isPair ? <i32>load<i8>(a + at + columns) : 0;
      const positive = max(v, 0) + max(w, 0), negative = max(-v, 0) + max(-w, 0);
      if (positive > 128 || negative > 128) store<u8>(flags + at, 1);
    }
  }
  let count: u32 = 0;
  for (let column: u32 = 0; column < columns; column++) count += <u32>load<u8>(flags + column);
  return count;
}

// The same for pairs of neighbours inside each row: matrices that are stored with K along the row.
export function pairMaxRows(x: usize, rows: u32, columns: u32, out: usize): void {
  for (let row: u32 = 0; row < rows; row++) {
    let p = x + (<usize>row * columns << 2);
    let most: f32 = 0;
    for (const end = p + ((<usize>columns & ~1) << 2); p < end; p += 8) most = max(most, pairSum(load<f32>(p), load<f32>(p + 4)));
    if (columns & 1) most = max(most, abs(load<f32>(p)));
    store<f32>(out + (<usize>row << 2), most);
  }
}

// @ts-ignore: decorator
@inline function pairSum(v: f32, w: f32): f32 {
  const positive = <f32>(max<f32>(v, 0) + max<f32>(w, 0));
  const negative = <f32>(max<f32>(-v, 0) + max<f32>(-w, 0));
  return max(positive, negative);
}

export function pairViolationRows(q: usize, rows: u32, columns: u32, flags: usize): u32 {
  let count: u32 = 0;
  for (let row: u32 = 0; row < rows; row++) {
    let p = q + <usize>row * columns;
    let risky = false;
    for (const end = p + (<usize>columns & ~1); p < end; p += 2) {
      const v = <i32>load<i8>(p), w = <i32>load<i8>(p + 1);
      risky = risky || max(v, 0) + max(w, 0) > 128 || max(-v, 0) + max(-w, 0) > 128;
    }
    store<u8>(flags + row, risky ? 1 : 0);
    count += risky ? 1 : 0;
  }
  return count;
}
