// The input under RMSNorm.
override D: u32;    // model width; K is D rounded up to a multiple of 32
override EPS: f32;

@group(0) @binding(1) var<storage, read> gain: array<vec4f>;  // [K], zero from D on

const NORM = true;
var<private> squares: f32;  // of the entries that this thread has read

/// Entries 8*k8 .. 8*k8+7 of row t, times the gain.
fn input8(t: u32, k8: u32) -> mat2x4f {
  let at = t * (K / 4) + 2 * k8;
  let a = x[at];
  let b = x[at + 1];
  squares += dot(a, a) + dot(b, b);
  return mat2x4f(a * gain[2 * k8], b * gain[2 * k8 + 1]);
}

/// 1/rms of the row that the workgroup has read.
fn row_factor(thread: u32) -> f32 { return inverseSqrt(workgroup_sum(squares, thread) / f32(D) + EPS); }
