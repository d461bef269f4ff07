// Shifting the half's bits into place and multiplying by 2^112 rebiases the exponent and normalises subnormals;
// infinity and NaN get the full exponent back.
export function float16ToFloat32(x: usize, count: u32, out: usize): void {
  for (let i: u32 = 0; i < count; i++) {
    const half = <u32>load<u16>(x + (<usize>i << 1));
    const rebiased = reinterpret<f32>((half & 0x7fff) << 13) * reinterpret<f32>(0x77800000);
    let bits = reinterpret<u32>(rebiased);
    if ((half & 0x7c00) == 0x7c00) bits |= 0x7f800000;
    store<u32>(out + (<usize>i << 2), bits | ((half & 0x8000) << 16));
  }
}
