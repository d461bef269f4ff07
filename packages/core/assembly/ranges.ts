const MAGNITUDE: i32 = 0x7fffffff;

// @ts-ignore: decorator
@inline function magnitude(p: usize): v128 {
  return v128.and(v128.load(p), i32x4.splat(MAGNITUDE));
}

// As integers, magnitudes of floats order like the floats, and NaN and infinity are above every finite number: one
// integer maximum finds the range and everything that is not finite.
export function absMax(x: usize, count: u32): f32 {
  let a = i32x4.splat(0), b = a, c = a, d = a;
  let p = x;
  const end16 = x + ((<usize>count & ~15) << 2);
  for (; p < end16; p += 64) {
    a = i32x4.max_s(a, magnitude(p));
    b = i32x4.max_s(b, magnitude(p + 16));
    c = i32x4.max_s(c, magnitude(p + 32));
    d = i32x4.max_s(d, magnitude(p + 48));
  }
  a = i32x4.max_s(i32x4.max_s(a, b), i32x4.max_s(c, d));
  let most = max(max(i32x4.extract_lane(a, 0), i32x4.extract_lane(a, 1)), max(i32x4.extract_lane(a, 2), i32x4.extract_lane(a, 3)));
  for (const end = x + (<usize>count << 2); p < end; p += 4) most = max(most, load<i32>(p) & MAGNITUDE);
  return reinterpret<f32>(most);
}

// Minimum and maximum to out[0], out[1]; both NaN where a value is not finite.
export function minMax(x: usize, count: u32, out: usize): void {
  let low = f32x4.splat(Infinity), high = f32x4.splat(-Infinity);
  let low2 = low, high2 = high;
  let most = i32x4.splat(0);
  let p = x;
  const end8 = x + ((<usize>count & ~7) << 2);
  for (; p < end8; p += 32) {
    const v = v128.load(p), w = v128.load(p + 16);
    low = f32x4.pmin(low, v);
    high = f32x4.pmax(high, v);
    low2 = f32x4.pmin(low2, w);
    high2 = f32x4.pmax(high2, w);
    most = i32x4.max_s(most, i32x4.max_s(v128.and(v, i32x4.splat(MAGNITUDE)), v128.and(w, i32x4.splat(MAGNITUDE))));
  }
  low = f32x4.pmin(low, low2);
  high = f32x4.pmax(high, high2);
  let least: f32 = Infinity, greatest: f32 = -Infinity, magnitudes = 0;
  for (let lane = 0; lane < 4; lane++) {
    store<v128>(out, low);
    least = min(least, load<f32>(out + (lane << 2)));
    store<v128>(out, high);
    greatest = max(greatest, load<f32>(out + (lane << 2)));
    store<v128>(out, most);
    magnitudes = max(magnitudes, load<i32>(out + (lane << 2)));
  }
  for (const end = x + (<usize>count << 2); p < end; p += 4) {
    const value = load<f32>(p);
    if (value < least) least = value;
    if (value > greatest) greatest = value;
    magnitudes = max(magnitudes, load<i32>(p) & MAGNITUDE);
  }
  const finite = magnitudes < 0x7f800000;
  // Adding zero makes -0 to +0, so that the order of lanes does not show.
  store<f32>(out, finite ? least + 0 : NaN);
  store<f32>(out + 4, finite ? greatest + 0 : NaN);
}

// accumulator[column] = max(accumulator[column], |x|), four rows a sweep, so that accumulators stay in the nearest cache.
export function absMaxColumns(x: usize, rows: u32, columns: u32, accumulator: usize): void {
  const stride = <usize>columns << 2;
  let row: u32 = 0;
  for (; row + 4 <= rows; row += 4) {
    const base = x + <usize>row * stride;
    let at: usize = 0;
    for (const end = stride & ~15; at < end; at += 16) {
      const p = base + at;
      const most = i32x4.max_s(i32x4.max_s(magnitude(p), magnitude(p + stride)), i32x4.max_s(magnitude(p + 2 * stride), magnitude(p + 3 * stride)));
      v128.store(accumulator + at, i32x4.max_s(v128.load(accumulator + at), most));
    }
    for (; at < stride; at += 4) {
      const p = base + at;
      const most = max(max(load<i32>(p) & MAGNITUDE, load<i32>(p + stride) & MAGNITUDE), max(load<i32>(p + 2 * stride) & MAGNITUDE, load<i32>(p + 3 * stride) & MAGNITUDE));
      store<i32>(accumulator + at, max(load<i32>(accumulator + at), most));
    }
  }
  for (; row < rows; row++) {
    const base = x + <usize>row * stride;
    for (let at: usize = 0; at < stride; at += 4) {
      store<i32>(accumulator + at, max(load<i32>(accumulator + at), load<i32>(base + at) & MAGNITUDE));
    }
  }
}

export function absMaxRows(x: usize, rows: u32, columns: u32, out: usize): void {
  for (let row: u32 = 0; row < rows; row++) {
    store<f32>(out + (<usize>row << 2), absMax(x + (<usize>row * columns << 2), columns));
  }
}
