// h[t, i, m] = scale * sum_k A[adapter, m, k] * input[t, k], of adapter i of token t   (LoRA, Hu et al. 2021)
// One workgroup per entry m of a token t. What is past the last adapter stays, and nobody reads it.

override M: u32;             // rows of A of one adapter: of all matrices that share the input
override K: u32;             // stored width of a row, a multiple of 32
override THREADS: u32 = 64;

@group(0) @binding(4) var<storage, read> a: array<vec4f>;      // [adapters, M, K]
@group(0) @binding(5) var<storage, read_write> h: array<f32>;  // [T, MAX_TOGETHER, M]

@compute @workgroup_size(THREADS)
fn lora_a(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let t = group.y;
  let count = adapter_count(t);
  for (var i = 0u; i < count; i++) {
    let slot = adapter_slot(t, i);
    let row = (slot * M + group.x) * (K / 4);
    var sum = 0.0;
    for (var k4 = thread; k4 < K / 4; k4 += THREADS) {
      let product = a[row + k4] * input4(t, k4);
      sum += (product.x + product.y) + (product.z + product.w);
    }
    let total = workgroup_sum(sum, thread) * input_factor(thread);
    if (thread == 0) { h[(t * MAX_TOGETHER + i) * M + group.x] = adapter_scale(t, i) * total; }
  }
}
