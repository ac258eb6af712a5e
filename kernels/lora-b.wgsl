// delta[t, n] = sum_i sum_m B[adapter i of t, n, m] * h[t, i, block of n, m]   (LoRA, Hu et al. 2021)
// times a gain of row n: 1, or with DoRA (Liu et al. 2024) its magnitude by the norm of the adapted row. An
// adapter with DoRA is the only one of its token.
// One thread per output n of a token t. A snippet stores it.

override N: u32;         // rows of the matrix
override R: u32;         // rank, a multiple of 4
override M: u32;         // entries of h for an adapter: a block of R for each of the stacked matrices
override Y_STRIDE: u32;  // stored width of an output row
override THREADS: u32 = 64;

@group(0) @binding(0) var<storage, read> h: array<vec4f>;     // [T, MAX_TOGETHER, M]
@group(0) @binding(1) var<storage, read> b: array<vec4f>;     // [adapters, N, R]
@group(0) @binding(4) var<storage, read> gains: array<f32>;   // [adapters, N]
@group(0) @binding(6) var<storage, read> blocks: array<u32>;  // [N] the block of h that a row reads

@compute @workgroup_size(THREADS)
fn lora_b(@builtin(global_invocation_id) id: vec3u) {
  let n = id.x;
  let t = id.y;
  if (n >= N) { return; }
  let count = adapter_count(t);
  if (count == 0) {
    put_none(t, n);
    return;
  }
  var gain = 1.0;
  var sum = 0.0;
  for (var i = 0u; i < count; i++) {
    let slot = adapter_slot(t, i);
    let row = (slot * N + n) * (R / 4);
    let first = ((t * MAX_TOGETHER + i) * M + blocks[n] * R) / 4;
    for (var m = 0u; m < R / 4; m++) { sum += dot(b[row + m], h[first + m]); }
    gain *= gains[slot * N + n];
  }
  put(t, n, gain, sum);
}
