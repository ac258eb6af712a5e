/// 32 consecutive weights of a row: scale * (code - ZERO_CODE).
struct Weights32 { codes: array<mat2x4f, 4>, scale: f32 }

/// 32 consecutive entries of an input row, and their sum.
struct Input32 { values: array<mat2x4f, 4>, sum: f32 }

/// sum of weight * value. The zero is subtracted once: (code - zero) · value = code · value - zero * sum.
fn dot32(w: Weights32, v: Input32) -> f32 {
  let codes = dot8(w.codes[0], v.values[0]) + dot8(w.codes[1], v.values[1])
    + dot8(w.codes[2], v.values[2]) + dot8(w.codes[3], v.values[3]);
  return w.scale * (codes - ZERO_CODE * v.sum);
}
