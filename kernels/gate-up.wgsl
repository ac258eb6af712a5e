// hidden[t, F0 + f] = silu(g) * u,  g = sum_k gate[f, k] * norm(x)[t, k],  u = sum_k up[f, k] * norm(x)[t, k]
// (SwiGLU, Shazeer 2020.) One team of threads per two outputs f of a block of TOKENS tokens t.

override F: u32;              // outputs of this part: its matrix holds F gate rows, then F up rows
override F0: u32;             // column of its first output
override Y_STRIDE: u32;       // stored width of an output row

@group(0) @binding(2) var<storage, read_write> hidden: array<f32>;  // [T, Y_STRIDE]

/// Rows of two outputs: gate, gate, up, up.
fn weight_row(team: u32, r: u32) -> u32 { return min(team * 2 + r % 2, F - 1) + select(0, F, r >= 2); }

@compute @workgroup_size(THREADS)
fn gate_up(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let team = team_of(group.x, thread);
  let sums = dot_rows(team, group.y, thread);
  for (var j = 0u; j < held(); j++) {
    let t = group.y * TOKENS + token_held(j, thread);
    if (t > LAST_TOKEN) { break; }
    for (var r = 0u; r < 2; r++) {
      let f = team * 2 + r;
      if (!writes(r, thread) || f >= F) { continue; }
      let gate = plus_product(0, sums[j], r, t, 2 * F0 + f);
      let up = plus_product(0, sums[j], r + 2, t, 2 * F0 + F + f);
      hidden[t * Y_STRIDE + F0 + f] = silu(gate) * up;
    }
  }
}
