// y[t, N0 + n] = sum_k x[t, k] * weight[n, k]   (+ y[t, N0 + n] if ADD: the residual stream)
// One thread per tile of 16 tokens x 8 rows, 32 columns at a time. The lanes of a subgroup read the input for
// each other. For software drivers. x and y hold whole tiles of tokens: rows past T are computed and unused.

const TOKENS = 16u;

@compute @workgroup_size(64)
fn matmul(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let n = (group.x * 64 + thread) * 8;
  let t = group.y * TOKENS;
  var sums = array<mat2x4f, TOKENS>();  // [token][row]

  // Hidden from the compiler, which would spend seconds on unrolling.
  let steps = select(0, K / 32, arrayLength(&x) > 0);
  let tokens = select(0, TOKENS, arrayLength(&x) > 0);
  for (var g = 0u; g < steps; g++) {
    let w0 = weight32(min(n, N - 1), g);
    let w1 = weight32(min(n + 1, N - 1), g);
    let w2 = weight32(min(n + 2, N - 1), g);
    let w3 = weight32(min(n + 3, N - 1), g);
    let w4 = weight32(min(n + 4, N - 1), g);
    let w5 = weight32(min(n + 5, N - 1), g);
    let w6 = weight32(min(n + 6, N - 1), g);
    let w7 = weight32(min(n + 7, N - 1), g);
    for (var i = 0u; i < tokens; i++) {
      let v = input32(i, t + i, g);
      let low = sums[i][0];
      let high = sums[i][1];
      sums[i] = mat2x4f(
        dot32(w0, v, low.x), dot32(w1, v, low.y), dot32(w2, v, low.z), dot32(w3, v, low.w),
        dot32(w4, v, high.x), dot32(w5, v, high.y), dot32(w6, v, high.z), dot32(w7, v, high.w),
      );
    }
  }

  for (var i = 0u; i < tokens; i++) {
    for (var j = 0u; n + j < min(n + 8, N); j++) {
      put(t + i, n + j, sums[i][j / 4][j % 4]);
    }
  }
}
