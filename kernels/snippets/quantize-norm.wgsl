// The input under RMSNorm. Every workgroup of a row reads the whole row first.
override D: u32;    // model width; K is D rounded up to a multiple of 32
override EPS: f32;

@group(0) @binding(0) var<storage, read> x: array<vec4f>;     // [T, K], zero from D on
@group(0) @binding(1) var<storage, read> gain: array<vec4f>;  // [K], zero from D on

/// Entries 8*k8 .. 8*k8+7 of row t, times the gain.
fn input8(t: u32, k8: u32) -> mat2x4f {
  let at = t * (K / 4) + 2 * k8;
  return mat2x4f(x[at] * gain[2 * k8], x[at + 1] * gain[2 * k8 + 1]);
}

/// 1/rms of row t.
fn row_factor(t: u32, thread: u32) -> f32 {
  var squares = 0.0;
  for (var i = thread; i < K / 4; i += THREADS) {
    let v = x[t * (K / 4) + i];
    squares += dot(v, v);
  }
  return inverseSqrt(workgroup_sum(squares, thread) / f32(D) + EPS);
}
