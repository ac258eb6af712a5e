// The f16 nearest to the f32 of these bits, ties to even. Finite values saturate at ±65504; infinities and
// NaN stay.
fn half(bits: u32) -> u32 {
  let sign = (bits >> 16) & 0x8000;
  let magnitude = bits & 0x7fffffff;
  let exponent = magnitude >> 23;
  let fraction = magnitude & 0x7fffff;
  if (exponent == 255) {
    let payload = select(0x200u, fraction >> 13, (fraction >> 13) != 0);
    return sign | 0x7c00 | select(0, payload, fraction != 0);
  }
  if (exponent > 112) { return sign | min(rounded_shift(magnitude - (112u << 23), 13), 0x7bff); }
  if (exponent > 101) { return sign | rounded_shift(fraction | 0x800000, 126 - exponent); }  // subnormal
  return sign;
}
