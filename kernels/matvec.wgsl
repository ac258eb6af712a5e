// y[t, N0 + n] = sum_k weight[n, k] * input[t, k]   (+ y[t, N0 + n] where ADD: the residual stream)
// One workgroup per ROWS output rows n of one token t.

override N: u32;              // rows of this part of the matrix
override N0: u32;             // where its first row stands in the output
override Y_STRIDE: u32;       // stored width of an output row
override ADD: bool;

@group(0) @binding(2) var<storage, read_write> y: array<f32>;  // [T, Y_STRIDE]

@compute @workgroup_size(THREADS)
fn matvec(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  var rows: array<u32, ROWS>;
  for (var r = 0u; r < ROWS; r++) { rows[r] = min(group.x * ROWS + r, N - 1); }
  let sums = dot_rows(rows, group.y, thread);
  if (thread > 0) { return; }
  for (var r = 0u; r < ROWS; r++) {
    let n = group.x * ROWS + r;
    if (n >= N) { return; }
    let i = group.y * Y_STRIDE + N0 + n;
    y[i] = sums[r] + select(0.0, y[i], ADD);
  }
}
