// The input of a matrix product under RMSNorm. The factor 1/rms is the same for a whole row: it is applied to
// the finished sums, and the squares are added up while x is read. So x is read once.
override D: u32;    // model width; K is D rounded up to a multiple of 32
override EPS: f32;

@group(0) @binding(0) var<storage, read> x: array<vec4f>;     // [T, K], zero from D on
@group(0) @binding(1) var<storage, read> gain: array<vec4f>;  // [K], zero from D on

var<private> squares_seen: array<f32, TOKENS>;

/// Entries 8*k8 .. 8*k8+7 of row t, token i of the block, times the gain.
fn input8(i: u32, t: u32, k8: u32) -> Input8 {
  let at = t * (K / 4) + 2 * k8;
  let a = x[at];
  let b = x[at + 1];
  let a_gain = gain[2 * k8];
  let b_gain = gain[2 * k8 + 1];
  squares_seen[i] += dot8(mat2x4f(a, b), mat2x4f(a, b));
  return Input8(mat2x4f(a * a_gain, b * b_gain), fma(a, a_gain, b * b_gain));
}

fn input_squares(i: u32) -> f32 { return squares_seen[i]; }
fn input_factor(squares: f32) -> f32 { return inverseSqrt(fma(squares, 1 / f32(D), EPS)); }
