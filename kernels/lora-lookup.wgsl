// h[t, i, m] = scale * A[adapter, id of t, m], of adapter i of token t: lora_a for the embedding, with A
// transposed.
// One thread per entry m of a token t.

override M: u32;
override V: u32;             // vocabulary
override THREADS: u32 = 64;

@group(0) @binding(4) var<storage, read> a: array<f32>;        // [adapters, V, M]
@group(0) @binding(5) var<storage, read_write> h: array<f32>;  // [T, MAX_TOGETHER, M]

@compute @workgroup_size(THREADS)
fn lora_lookup(@builtin(global_invocation_id) id: vec3u) {
  let t = id.y;
  let count = adapter_count(t);
  if (id.x >= M) { return; }
  for (var i = 0u; i < count; i++) {
    let slot = adapter_slot(t, i);
    h[(t * MAX_TOGETHER + i) * M + id.x] = adapter_scale(t, i) * a[(slot * V + rows[t].x) * M + id.x];
  }
}
