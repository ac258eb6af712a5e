// y[t, N0 + n] = sum_k x[t, k] * weight[n, k]   (+ y[t, N0 + n] if ADD: the residual stream)
// One workgroup per tile of 64 tokens x 64 rows. K in steps of 32, dequantised once into workgroup memory.
// Each of the 16 x 16 threads keeps 4 x 4 sums in registers. A tile snippet defines `element` and `tile4`.
// x and y hold whole tiles of tokens: rows past T are computed and unused.

@group(0) @binding(0) var<storage, read> x: array<vec4f>;  // [T, K]

// [8 vectors of 4 along K, 64 rows]: neighbouring threads read neighbouring vectors.
var<workgroup> x_tile: array<vec4<element>, 512>;
var<workgroup> w_tile: array<vec4<element>, 512>;

@compute @workgroup_size(16, 16)
fn matmul(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_id) local: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let n0 = group.x * 64;
  let t0 = group.y * 64;
  var sums: array<vec4f, 4>;  // [token, row]

  for (var step = 0u; step < K / 32; step++) {
    for (var i = thread; i < 512; i += 256) {
      x_tile[(i % 8) * 64 + i / 8] = tile4(x[(t0 + i / 8) * (K / 4) + step * 8 + i % 8]);
    }
    let k8 = thread % 4;
    let w = weight8(min(n0 + thread / 4, N - 1), step * 4 + k8);
    w_tile[2 * k8 * 64 + thread / 4] = tile4(w[0]);
    w_tile[(2 * k8 + 1) * 64 + thread / 4] = tile4(w[1]);
    workgroupBarrier();

    for (var k4 = 0u; k4 < 8; k4++) {
      for (var j = 0u; j < 4; j++) {
        let w = vec4f(w_tile[k4 * 64 + local.x + 16 * j]);
        sums[j] += vec4f(
          dot(w, vec4f(x_tile[k4 * 64 + local.y])),
          dot(w, vec4f(x_tile[k4 * 64 + local.y + 16])),
          dot(w, vec4f(x_tile[k4 * 64 + local.y + 32])),
          dot(w, vec4f(x_tile[k4 * 64 + local.y + 48])),
        );
      }
    }
    workgroupBarrier();
  }

  put_tile(t0, n0, local, sums);
}
