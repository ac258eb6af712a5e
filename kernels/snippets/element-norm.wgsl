// The input of a matrix product under RMSNorm, one entry at a time; see input-norm.wgsl.
override D: u32;    // model width; K is D rounded up to a multiple of 32
override EPS: f32;

@group(0) @binding(0) var<storage, read> x: array<f32>;     // [T, K], zero from D on
@group(0) @binding(1) var<storage, read> gain: array<f32>;  // [K], zero from D on

var<private> squares_seen: array<f32, TOKENS>;

/// Entry k of row t, token i of the block, and its gain.
fn element(i: u32, t: u32, k: u32) -> vec2f {
  let value = x[t * K + k];
  squares_seen[i] = fma(value, value, squares_seen[i]);
  return vec2f(value, gain[k]);
}

/// Sum of squares of the whole row: each lane has seen a part of it.
fn input_squares(i: u32) -> f32 { return subgroupAdd(squares_seen[i]); }
fn input_factor(squares: f32) -> f32 { return inverseSqrt(fma(squares, 1 / f32(D), EPS)); }
