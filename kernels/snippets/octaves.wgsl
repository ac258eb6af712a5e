// Exponential and logarithm of base 2 in integers: the same bits on every device. WGSL's own may differ
// between devices, and its log is imprecise near 1. An octave is a factor of two of probability, stored in
// units of 2^-25. The polynomials interpolate at Chebyshev nodes of [0, 1).
// Uses snippets/wide-integer.wgsl.

const OCTAVE: u32 = 1u << 25u;

// (2^28 - 1) * 2^-octaves, rounded down; within 2^-27 of it before rounding. 0 from 28 octaves on.
fn mass(octaves: u32) -> u32 {
  if (octaves >= 28 * OCTAVE) { return 0u; }
  let f = octaves << 7u;  // the fraction of an octave, in units of 2^-32
  var q = 0x00078809u;    // (1 - 2^-f) / f, in units of 2^-32
  q = 0x0054a612u - high_product(f, q);
  q = 0x0274f388u - high_product(f, q);
  q = 0x0e353290u - high_product(f, q);
  q = 0x3d7f7506u - high_product(f, q);
  q = 0xb17217dfu - high_product(f, q);
  return (0x0fffffffu - (high_product(f, q) >> 4u)) >> (octaves >> 25u);
}

// log2(2n + 1) in octaves, within 2^-24; never below its whole octaves, 32 - countLeadingZeros(n).
fn log2_odd(n: u32) -> u32 {
  if (n == 0) { return 0u; }
  let zeros = countLeadingZeros(n);
  let f = ((n << zeros) << 1u) | (1u << zeros);  // 2n + 1 = 2^(32 - zeros) * (1 + f), f in units of 2^-32
  var q = 0x00f25521u;                           // log2(1 + f) / f, in units of 2^-31
  q = 0x055e743du - high_product(f, q);
  q = 0x0e50836eu - high_product(f, q);
  q = 0x191e5ba4u - high_product(f, q);
  q = 0x233a72ddu - high_product(f, q);
  q = 0x2ddcbe71u - high_product(f, q);
  q = 0x3d86e2c7u - high_product(f, q);
  q = 0x5c54da69u - high_product(f, q);
  q = 0xb8aa3ac0u - high_product(f, q);
  return (32u - zeros) * OCTAVE + (high_product(f, q) >> 6u);
}

// 33 + log2(-ln(1 - v)) in octaves, for v = (h + 1/2) / 2^32: the logarithm of an exponential variable, 0 …
// 37.6, within 2^-17. Never below 33 + log2(v), which is log2_odd(h).
fn log2_exponential(h: u32) -> u32 {
  let small = h < (1u << 26u);
  // For large h it gives -log2(1 - v), since 1 - v = (2 (2^32 - 1 - h) + 1) / 2^33.
  let log = log2_odd(select(~h, h, small));
  if (small) {  // v < 2^-6: log2(v) + (v/2 + 5/24 v^2 + v^3/8) / ln 2 keeps the digits that 1 - v loses
    let series = high_product(h, 0xb8aa3b29u + high_product(h, 0x4cf198a7u + high_product(h, 0x2e2a8ecau)));
    return log + (series >> 7u);
  }
  let halvings = 33 * OCTAVE - log;
  return log2_odd(halvings) + 0x0cf14589u;  // log2(halvings + 1/2) + 1, plus 33 - 1 - 25 + log2(ln 2)
}
