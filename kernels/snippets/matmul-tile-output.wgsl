/// The 4 x 4 sums of a thread of a 64 x 64 tile: tokens local.y + 16 i, rows local.x + 16 j, as sums[j][i].
fn put_tile(t0: u32, n0: u32, local: vec3u, sums: array<vec4f, 4>) {
  for (var i = 0u; i < 4; i++) {
    for (var j = 0u; j < 4; j++) {
      let n = n0 + local.x + 16 * j;
      if (n < N) { put(t0 + local.y + 16 * i, n, sums[j][i]); }
    }
  }
}
