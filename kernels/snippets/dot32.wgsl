/// 32 consecutive weights of a row: scale * code + offset.
struct Weights32 { codes: array<mat2x4f, 4>, scale: f32, offset: f32 }

/// 32 consecutive entries of an input row, and their sum.
struct Input32 { values: array<mat2x4f, 4>, sum: f32 }

/// before + sum of weight * value, by fma as in dot8.wgsl. The offset is added once:
/// (scale * code + offset) · value = scale * (code · value) + offset * sum.
fn dot32(w: Weights32, v: Input32, before: f32) -> f32 {
  var codes = w.codes[0][0] * v.values[0][0];
  codes = fma(w.codes[0][1], v.values[0][1], codes);
  codes = fma(w.codes[1][0], v.values[1][0], codes);
  codes = fma(w.codes[1][1], v.values[1][1], codes);
  codes = fma(w.codes[2][0], v.values[2][0], codes);
  codes = fma(w.codes[2][1], v.values[2][1], codes);
  codes = fma(w.codes[3][0], v.values[3][0], codes);
  codes = fma(w.codes[3][1], v.values[3][1], codes);
  return fma(w.scale, total4(codes), fma(w.offset, v.sum, before));
}
