// out[t, i] = x[t, i] / sqrt(mean_i(x[t, i]^2) + EPS) * gain[i]   (Zhang and Sennrich 2019, RMSNorm)
// One workgroup per token t.

override D: u32;              // model width
override STRIDE: u32;         // stored width of a row, D rounded up to a multiple of 32
override EPS: f32;
override THREADS: u32 = 128;

@group(0) @binding(0) var<storage, read> x: array<f32>;          // [T, STRIDE]
@group(0) @binding(1) var<storage, read> gain: array<f32>;       // [D]
@group(0) @binding(2) var<storage, read_write> out: array<f32>;  // [T, STRIDE]

@compute @workgroup_size(THREADS)
fn rms_norm(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let row = group.x * STRIDE;

  var squares = 0.0;
  for (var i = thread; i < D; i += THREADS) { squares += x[row + i] * x[row + i]; }

  let scale = inverseSqrt(workgroup_sum(squares, thread) / f32(D) + EPS);
  for (var i = thread; i < D; i += THREADS) { out[row + i] = x[row + i] * scale * gain[i]; }
}
