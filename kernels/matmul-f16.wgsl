// y[t, N0 + n] = sum_k x[t, k] * weight[n, k]   (+ y[t, N0 + n] where ADD: the residual stream)
// As matmul.wgsl, with tiles of f16: half the workgroup memory to read, and twice the arithmetic where a GPU has it. Products
// of four are added in f16, the rest in f32. x is held within what f16 can say.

override N: u32;              // rows of this part of the matrix
override N0: u32;             // where its first row stands in the output
override K: u32;              // stored width of a row, a multiple of 32
override Y_STRIDE: u32;       // stored width of an output row
override ADD: bool;

@group(0) @binding(0) var<storage, read> x: array<vec4f>;      // [T, K]
@group(0) @binding(1) var<storage, read_write> y: array<f32>;  // [T, Y_STRIDE]

const LARGEST = vec4f(65504);

// [8 vectors of 4 along K, 64 rows]: neighbouring threads read neighbouring vectors.
var<workgroup> x_tile: array<vec4<f16>, 512>;
var<workgroup> w_tile: array<vec4<f16>, 512>;

@compute @workgroup_size(16, 16)
fn matmul(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u, @builtin(local_invocation_index) thread: u32) {
  let n0 = group.x * 64;
  let t0 = group.y * 64;
  var sums: array<vec4f, 4>;  // [token, row]

  for (var step = 0u; step < K / 32; step++) {
    for (var i = thread; i < 512; i += 256) {
      x_tile[(i % 8) * 64 + i / 8] = vec4<f16>(clamp(x[(t0 + i / 8) * (K / 4) + step * 8 + i % 8], -LARGEST, LARGEST));
    }
    let k8 = thread % 4;
    let w = weight8(min(n0 + thread / 4, N - 1), step * 4 + k8);
    w_tile[2 * k8 * 64 + thread / 4] = vec4<f16>(w[0]);
    w_tile[(2 * k8 + 1) * 64 + thread / 4] = vec4<f16>(w[1]);
    workgroupBarrier();

    for (var k4 = 0u; k4 < 8; k4++) {
      for (var j = 0u; j < 4; j++) {
        let w = w_tile[k4 * 64 + local.x + 16 * j];
        sums[j] += vec4f(vec4<f16>(dot(w, x_tile[k4 * 64 + local.y]), dot(w, x_tile[k4 * 64 + local.y + 16]), dot(w, x_tile[k4 * 64 + local.y + 32]), dot(w, x_tile[k4 * 64 + local.y + 48])));
      }
    }
    workgroupBarrier();
  }

  for (var i = 0u; i < 4; i++) {
    for (var j = 0u; j < 4; j++) {
      let n = n0 + local.x + 16 * j;
      if (n >= N) { continue; }
      let at = (t0 + local.y + 16 * i) * Y_STRIDE + N0 + n;
      y[at] = sums[j][i] + select(0.0, y[at], ADD);
    }
  }
}
