// h[t, m] = scale of t * A[adapter of t, id of t, m]: lora_a for the embedding, with A transposed.
// One thread per entry m of a token t.

override M: u32;
override V: u32;             // vocabulary
override THREADS: u32 = 64;

@group(0) @binding(4) var<storage, read> a: array<f32>;        // [adapters, V, M]
@group(0) @binding(5) var<storage, read_write> h: array<f32>;  // [T, M]

@compute @workgroup_size(THREADS)
fn lora_lookup(@builtin(global_invocation_id) id: vec3u) {
  let t = id.y;
  let slot = adapter_slot(t);
  if (id.x >= M || slot == NO_ADAPTER) { return; }
  h[t * M + id.x] = adapter_scale(t) * a[(slot * V + rows[t].x) * M + id.x];
}
