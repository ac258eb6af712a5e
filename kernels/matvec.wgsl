// y[t, N0 + n] = sum_k weight[n, k] * input[t, k]   (+ y[t, N0 + n] if ADD: the residual stream)
// One team of threads per four output rows n of a block of TOKENS tokens t.

override N: u32;              // rows of this part of the matrix
override N0: u32;             // output column of its first row
override Y_STRIDE: u32;       // stored width of an output row
override ADD: bool;

@group(0) @binding(2) var<storage, read_write> y: array<f32>;  // [T, Y_STRIDE]

fn weight_row(team: u32, r: u32) -> u32 { return min(team * ROWS_PER_TEAM + r, N - 1); }

@compute @workgroup_size(THREADS)
fn matvec(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let team = team_of(group.x, thread);
  let sums = dot_rows(team, group.y, thread);
  for (var j = 0u; j < held(); j++) {
    let t = group.y * TOKENS + token_held(j, thread);
    if (t > LAST_TOKEN) { break; }
    for (var r = 0u; r < ROWS_PER_TEAM; r++) {
      let n = team * ROWS_PER_TEAM + r;
      if (!writes(r, thread) || n >= N) { continue; }
      let i = t * Y_STRIDE + N0 + n;
      y[i] = plus_product(select(0.0, y[i], ADD), sums[j], r, t, N0 + n);
    }
  }
}
