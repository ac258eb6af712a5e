// value / 2^shift to the nearest integer, ties to even.
fn rounded_shift(value: u32, shift: u32) -> u32 {
  let odd = (value >> shift) & 1;
  return (value + (1u << (shift - 1)) - 1 + odd) >> shift;
}
