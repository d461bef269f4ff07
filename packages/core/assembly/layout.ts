// [rows, columns] to [columns, rows], in blocks of 16 × 16 so that both sides stay in cache lines.
export function transposeBytes(x: usize, rows: u32, columns: u32, out: usize): void {
  for (let r: u32 = 0; r < rows; r += 16) {
    const rowEnd = min(r + 16, rows);
    for (let c: u32 = 0; c < columns; c += 16) {
      const columnEnd = min(c + 16, columns);
      if (rowEnd - r == 16 && columnEnd - c == 16) block(x + <usize>r * columns + c, columns, out + <usize>c * rows + r, rows);
      else {
        for (let row = r; row < rowEnd; row++) {
          for (let column = c; column < columnEnd; column++) {
            store<u8>(out + <usize>column * rows + row, load<u8>(x + <usize>row * columns + column));
          }
        }
      }
    }
  }
}

// A 16 × 16 block by gathering one byte of each row: the writes are whole lines.
function block(x: usize, stride: usize, out: usize, outStride: usize): void {
  for (let column: usize = 0; column < 16; column++) {
    const p = x + column;
    let low: u64 = 0, high: u64 = 0;
    for (let row: usize = 0; row < 8; row++) {
      low |= <u64>load<u8>(p + row * stride) << (row << 3);
      high |= <u64>load<u8>(p + (row + 8) * stride) << (row << 3);
    }
    store<u64>(out + column * outStride, low);
    store<u64>(out + column * outStride + 8, high);
  }
}

// int8 to uint8 with zero point 128 and back, in place.
export function flipSignBit(x: usize, count: u32): void {
  let p = x;
  const end = x + count;
  for (const end16 = x + (<usize>count & ~15); p < end16; p += 16) v128.store(p, v128.xor(v128.load(p), i8x16.splat(-128)));
  for (; p < end; p++) store<u8>(p, load<u8>(p) ^ 0x80);
}
