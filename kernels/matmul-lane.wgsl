// y[t, N0 + n] = sum_k x[t, k] * weight[n, k]   (+ y[t, N0 + n] if ADD: the residual stream)
// One thread per tile of 4 tokens x 4 rows, no workgroup memory. For software drivers, whose barriers cost
// more than the reads that they save. x and y hold whole tiles of tokens: rows past T are computed and
// unused.

@group(0) @binding(0) var<storage, read> x: array<vec4f>;  // [T, K]

@compute @workgroup_size(64)
fn matmul(@builtin(global_invocation_id) id: vec3u) {
  let n = id.x * 4;
  let t = id.y * 4;
  if (n >= N) { return; }
  var sums = array<vec4f, 4>();  // [token, row]

  // Hidden from the compiler, which would spend seconds on unrolling.
  let steps = select(0, K / 8, arrayLength(&x) > 0);
  for (var k8 = 0u; k8 < steps; k8++) {
    let w0 = weight8(n, k8);
    let w1 = weight8(min(n + 1, N - 1), k8);
    let w2 = weight8(min(n + 2, N - 1), k8);
    let w3 = weight8(min(n + 3, N - 1), k8);
    for (var i = 0u; i < 4; i++) {
      let at = (t + i) * (K / 4) + 2 * k8;
      let v = mat2x4f(x[at], x[at + 1]);
      sums[i] += vec4f(dot8(w0, v), dot8(w1, v), dot8(w2, v), dot8(w3, v));
    }
  }

  for (var i = 0u; i < 4; i++) {
    for (var j = 0u; j < min(4, N - n); j++) {
      put(t + i, n + j, sums[i][j]);
    }
  }
}
