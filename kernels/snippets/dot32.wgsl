/// 32 consecutive weights of a row: scale * (code - ZERO_CODE).
struct Weights32 { codes: array<mat2x4f, 4>, scale: f32 }

/// 32 consecutive entries of an input row, and their sum.
struct Input32 { values: array<mat2x4f, 4>, sum: f32 }

/// before + sum of weight * value, by fma as in dot8.wgsl. The zero is subtracted once:
/// (code - zero) · value = code · value - zero * sum.
fn dot32(w: Weights32, v: Input32, before: f32) -> f32 {
  var codes = w.codes[0][0] * v.values[0][0];
  codes = fma(w.codes[0][1], v.values[0][1], codes);
  codes = fma(w.codes[1][0], v.values[1][0], codes);
  codes = fma(w.codes[1][1], v.values[1][1], codes);
  codes = fma(w.codes[2][0], v.values[2][0], codes);
  codes = fma(w.codes[2][1], v.values[2][1], codes);
  codes = fma(w.codes[3][0], v.values[3][0], codes);
  codes = fma(w.codes[3][1], v.values[3][1], codes);
  return fma(w.scale, fma(-ZERO_CODE, v.sum, total4(codes)), before);
}
