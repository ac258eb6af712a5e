// The bf16 nearest to the f32 of these bits, ties to even. NaN stays NaN.
fn half(bits: u32) -> u32 {
  if ((bits & 0x7fffffff) <= 0x7f800000) { return rounded_shift(bits, 16); }
  return (bits >> 16) | select(0x40u, 0u, ((bits >> 16) & 0x7f) != 0);
}
