// The f32 bits of entry i of `raw`, f16 in pairs. Exponents change from bias 15 to 127; subnormals become
// normal.
fn read_bits(i: u32) -> u32 {
  let half = raw[i / 2] >> (16 * (i % 2));
  let sign = (half & 0x8000) << 16;
  let magnitude = half & 0x7fff;
  if (magnitude >= 0x7c00) { return sign | 0x7f800000 | ((magnitude & 0x3ff) << 13); }  // infinity, NaN
  if (magnitude >= 0x400) { return sign | ((magnitude << 13) + (112u << 23)); }
  if (magnitude == 0) { return sign; }
  let leading = firstLeadingBit(magnitude);  // magnitude * 2^-24, subnormal
  return sign | ((leading + 103) << 23) | ((magnitude << (23 - leading)) & 0x7fffff);
}
