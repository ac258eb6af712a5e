// h[t, m] = scale of t * sum_k A[adapter of t, m, k] * input[t, k]   (LoRA, Hu et al. 2021)
// One workgroup per entry m of a token t. Tokens without an adapter keep what is in h, and nobody reads it.

override M: u32;             // rows of A of one adapter: of all matrices that share the input
override K: u32;             // stored width of a row, a multiple of 32
override THREADS: u32 = 64;

@group(0) @binding(4) var<storage, read> a: array<vec4f>;      // [adapters, M, K]
@group(0) @binding(5) var<storage, read_write> h: array<f32>;  // [T, M]

@compute @workgroup_size(THREADS)
fn lora_a(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let t = group.y;
  let slot = adapter_slot(t);
  if (slot == NO_ADAPTER) { return; }
  let row = (slot * M + group.x) * (K / 4);
  var sum = 0.0;
  for (var i = thread; i < K / 4; i += THREADS) {
    let product = a[row + i] * input4(t, i);
    sum += (product.x + product.y) + (product.z + product.w);
  }
  let total = workgroup_sum(sum, thread) * input_factor(thread);
  if (thread == 0) { h[t * M + group.x] = adapter_scale(t) * total; }
}
