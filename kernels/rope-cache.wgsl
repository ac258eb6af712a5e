// q, k, v of a prefill pass: rotate-half RoPE on q and k; q goes to its buffer, k and v into their slots of the ring.
// One thread per rotation pair of one token t.

override QKV_STRIDE: u32;     // stored width of a row of qkv
override THREADS: u32 = 64;

@group(0) @binding(0) var<storage, read> qkv: array<f32>;  // [T, QKV_STRIDE] as [H + 2G, d]

@compute @workgroup_size(THREADS)
fn rope_cache(@builtin(global_invocation_id) id: vec3u) {
  let pair = id.x;
  if (pair >= (H + 2 * G) * (d / 2)) { return; }
  let head = pair / (d / 2);
  let i = pair % (d / 2);
  let at = id.y * QKV_STRIDE + head * d + i;
  write_pair(id.y, head, i, vec2f(qkv[at], qkv[at + d / 2]));
}
