// In place: queries and keys = rope(norm(head) * gain), each head normalised by itself (RMSNorm).
// One workgroup per head and token t.

override NORM_EPS: f32;
override THREADS: u32 = 32;

@group(0) @binding(0) var<storage, read_write> qkv: array<f32>;  // [T, QKV_STRIDE] as [H + 2G, d]
@group(0) @binding(1) var<storage, read> gain: array<f32>;       // [2, d] of queries, of keys

@compute @workgroup_size(THREADS)
fn qk_norm(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let head = group.x;
  let t = group.y;
  let at = t * QKV_STRIDE + head * d;

  var squares = 0.0;
  for (var i = thread; i < d; i += THREADS) { squares += qkv[at + i] * qkv[at + i]; }

  let scale = inverseSqrt(workgroup_sum(squares, thread) / f32(d) + NORM_EPS);
  let gains = select(0, d, head >= H);
  for (var i = thread; i < d / 2; i += THREADS) {
    let normed = scale * vec2f(qkv[at + i] * gain[gains + i], qkv[at + i + d / 2] * gain[gains + i + d / 2]);
    let pair = turned(t, head, i, normed);
    qkv[at + i] = pair.x;
    qkv[at + i + d / 2] = pair.y;
  }
}
