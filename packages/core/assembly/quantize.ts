const MAGIC: f32 = 12582912.0;
const MAGIC_BITS: i32 = 0x4b400000;

// @ts-ignore: decorator
@inline function four(p: usize, scale: v128, magic: v128, bits: v128): v128 {
  return i32x4.sub(f32x4.add(f32x4.div(v128.load(p), scale), magic), bits);
}

// @ts-ignore: decorator
@inline function one(value: f32, scale: f32): i32 {
  return reinterpret<i32>(value / scale + MAGIC) - MAGIC_BITS;
}

// @ts-ignore: decorator
@inline function clampS8(q: i32): i32 {
  return min(max(q, -128), 127);
}

export function quantizeInt8(x: usize, count: u32, out: usize, scale: f32): void {
  const s = f32x4.splat(scale), magic = f32x4.splat(MAGIC), bits = i32x4.splat(MAGIC_BITS);
  let p = x, o = out;
  for (const end = x + ((<usize>count & ~15) << 2); p < end; p += 64, o += 16) {
    const a = i16x8.narrow_i32x4_s(four(p, s, magic, bits), four(p + 16, s, magic, bits));
    const b = i16x8.narrow_i32x4_s(four(p + 32, s, magic, bits), four(p + 48, s, magic, bits));
    v128.store(o, i8x16.narrow_i16x8_s(a, b));
  }
  for (const end = x + (<usize>count << 2); p < end; p += 4, o++) store<i8>(o, <i8>clampS8(one(load<f32>(p), scale)));
}

export function quantizeUint8(x: usize, count: u32, out: usize, scale: f32, zeroPoint: i32): void {
  const s = f32x4.splat(scale), magic = f32x4.splat(MAGIC), bits = i32x4.splat(MAGIC_BITS - zeroPoint);
  let p = x, o = out;
  for (const end = x + ((<usize>count & ~15) << 2); p < end; p += 64, o += 16) {
    const a = i16x8.narrow_i32x4_s(four(p, s, magic, bits), four(p + 16, s, magic, bits));
    const b = i16x8.narrow_i32x4_s(four(p + 32, s, magic, bits), four(p + 48, s, magic, bits));
    v128.store(o, i8x16.narrow_i16x8_u(a, b));
  }
  for (const end = x + (<usize>count << 2); p < end; p += 4, o++) {
    store<u8>(o, <u8>min(max(one(load<f32>(p), scale) + zeroPoint, 0), 255));
  }
}

// Row-major, a scale for each column: the scales are streamed beside each row.
export function quantizeInt8Columns(x: usize, rows: u32, columns: u32, out: usize, scales: usize): void {
  const magic = f32x4.splat(MAGIC), bits = i32x4.splat(MAGIC_BITS);
  for (let row: u32 = 0; row < rows; row++) {
    const base = x + (<usize>row * columns << 2), o = out + <usize>row * columns;
    let column: usize = 0;
    for (const end = <usize>columns & ~15; column < end; column += 16) {
      const p = base + (column << 2), s = scales + (column << 2);
      const a = i16x8.narrow_i32x4_s(four(p, v128.load(s), magic, bits), four(p + 16, v128.load(s + 16), magic, bits));
      const b = i16x8.narrow_i32x4_s(four(p + 32, v128.load(s + 32), magic, bits), four(p + 48, v128.load(s + 48), magic, bits));
      v128.store(o + column, i8x16.narrow_i16x8_s(a, b));
    }
    for (; column < <usize>columns; column++) {
      store<i8>(o + column, <i8>clampS8(one(load<f32>(base + (column << 2)), load<f32>(scales + (column << 2)))));
    }
  }
}

export function quantizeInt8Rows(x: usize, rows: u32, columns: u32, out: usize, scales: usize): void {
  for (let row: u32 = 0; row < rows; row++) {
    quantizeInt8(x + (<usize>row * columns << 2), columns, out + <usize>row * columns, load<f32>(scales + (<usize>row << 2)));
  }
}
