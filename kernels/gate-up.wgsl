// hidden[t, F0 + f] = silu(g) * u,  g = sum_k gate[f, k] * norm(x)[t, k],  u = sum_k up[f, k] * norm(x)[t, k]   (SwiGLU)
// One workgroup per ROWS/2 outputs f of one token t: a gate row and its up row together.

override F: u32;              // outputs of this part: its matrix holds F gate rows, then F up rows
override F0: u32;             // where its first output stands
override Y_STRIDE: u32;       // stored width of an output row

@group(0) @binding(2) var<storage, read_write> hidden: array<f32>;  // [T, Y_STRIDE]

@compute @workgroup_size(THREADS)
fn gate_up(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  var rows: array<u32, ROWS>;
  for (var r = 0u; r < ROWS / 2; r++) {
    let f = min(group.x * (ROWS / 2) + r, F - 1);
    rows[2 * r] = f;
    rows[2 * r + 1] = F + f;
  }
  let sums = dot_rows(rows, group.y, thread);
  if (thread > 0) { return; }
  for (var r = 0u; r < ROWS / 2; r++) {
    let f = group.x * (ROWS / 2) + r;
    if (f >= F) { return; }
    hidden[group.y * Y_STRIDE + F0 + f] = silu(sums[2 * r]) * sums[2 * r + 1];
  }
}
