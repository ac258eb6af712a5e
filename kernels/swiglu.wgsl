// hidden[t, F0 + f] = silu(gate_up[t, 2 F0 + f]) * gate_up[t, 2 F0 + F + f]   (SwiGLU, Shazeer 2020)
// Prefill. One thread per output f of one token t.

override F: u32;              // outputs of this part
override F0: u32;             // column of its first output; its gate columns begin at 2 * F0
override X_STRIDE: u32;       // stored width of a row of gate_up
override Y_STRIDE: u32;       // stored width of a row of hidden
override THREADS: u32 = 64;

@group(0) @binding(0) var<storage, read> gate_up: array<f32>;       // [T, X_STRIDE]
@group(0) @binding(1) var<storage, read_write> hidden: array<f32>;  // [T, Y_STRIDE]

@compute @workgroup_size(THREADS)
fn swiglu(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= F) { return; }
  let at = id.y * X_STRIDE + 2 * F0 + id.x;
  hidden[id.y * Y_STRIDE + F0 + id.x] = silu(gate_up[at]) * gate_up[at + F];
}
