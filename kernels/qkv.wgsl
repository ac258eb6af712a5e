// q, k, v = rope(W_qkv norm(x)). Attention stores the keys and values in the ring.
// One team of threads per two rotation pairs (rows i and i + d/2 of a head) of a block of TOKENS tokens t.

override HEADS: u32;          // heads (query, key, value) in this part of the matrix
override HEAD0: u32;          // the first of them

@group(0) @binding(4) var<storage, read_write> out: array<f32>;  // [T, QKV_STRIDE] as [H + 2G, d]

/// Rows of two pairs: both first entries, then both second entries.
fn weight_row(team: u32, r: u32) -> u32 {
  let pair = min(team * 2 + r % 2, HEADS * (d / 2) - 1);
  return (pair / (d / 2)) * d + pair % (d / 2) + select(0, d / 2, r >= 2);
}

@compute @workgroup_size(THREADS)
fn qkv(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let team = team_of(group.x, thread);
  let sums = dot_rows(team, group.y, thread);
  for (var j = 0u; j < held(); j++) {
    let t = group.y * TOKENS + token_held(j, thread);
    if (t > LAST_TOKEN) { break; }
    for (var r = 0u; r < 2; r++) {
      let pair = team * 2 + r;
      if (!writes(r, thread) || pair >= HEADS * (d / 2)) { continue; }
      let head = HEAD0 + pair / (d / 2);
      let i = pair % (d / 2);
      let column = head * d + i;
      let first = plus_product(0, sums[j], r, t, column);
      let second = plus_product(0, sums[j], r + 2, t, column + d / 2);
      let value = turned(t, head, i, vec2f(first, second));
      let at = t * QKV_STRIDE + column;
      out[at] = value.x;
      out[at + d / 2] = value.y;
    }
  }
}
