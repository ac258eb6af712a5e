// y[t, N0 + n] = sum_k x[t, k] * weight[n, k]   (+ y[t, N0 + n] if ADD: the residual stream)
// As matmul.wgsl, with products of bytes. x is quantised on the fly: 32 columns of a token share a scale, max
// |x| / 127. dot4I8Packed multiplies and adds the codes of four columns.

@group(0) @binding(0) var<storage, read> x: array<vec4f>;  // [T, K]

// [8 words of 4 codes along K, 64 rows]: neighbouring threads read neighbouring words.
var<workgroup> x_tile: array<u32, 512>;
var<workgroup> w_tile: array<u32, 512>;
var<workgroup> x_largest: array<f32, 256>;  // [64 rows, 4]: of each 8 columns; threads may share no vec4f
var<workgroup> w_scale: array<f32, 64>;

@compute @workgroup_size(16, 16)
fn matmul(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_id) local: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let n0 = group.x * 64;
  let t0 = group.y * 64;
  let row = thread / 4;
  let k8 = thread % 4;
  var sums: array<vec4f, 4>;  // [token, row]

  for (var step = 0u; step < K / 32; step++) {
    let at = (t0 + row) * (K / 4) + step * 8 + 2 * k8;
    let low = x[at];
    let high = x[at + 1];
    let larger = max(abs(low), abs(high));
    x_largest[thread] = max(max(larger.x, larger.y), max(larger.z, larger.w));
    let n = min(n0 + row, N - 1);
    let codes = codes8(n, step * 4 + k8);
    w_tile[2 * k8 * 64 + row] = codes.x;
    w_tile[(2 * k8 + 1) * 64 + row] = codes.y;
    if (k8 == 0) { w_scale[row] = scale_of(n, step); }
    workgroupBarrier();

    let scale = x_scale(row);
    let factor = select(1 / scale, 0.0, scale < 1e-30);
    x_tile[2 * k8 * 64 + row] = pack4xI8Clamp(vec4i(round(low * factor)));
    x_tile[(2 * k8 + 1) * 64 + row] = pack4xI8Clamp(vec4i(round(high * factor)));
    workgroupBarrier();

    var dots: array<vec4i, 4> = array<vec4i, 4>();
    for (var k4 = 0u; k4 < 8; k4++) {
      for (var j = 0u; j < 4; j++) {
        let w = w_tile[k4 * 64 + local.x + 16 * j];
        dots[j] += vec4i(
          dot4I8Packed(w, x_tile[k4 * 64 + local.y]),
          dot4I8Packed(w, x_tile[k4 * 64 + local.y + 16]),
          dot4I8Packed(w, x_tile[k4 * 64 + local.y + 32]),
          dot4I8Packed(w, x_tile[k4 * 64 + local.y + 48]),
        );
      }
    }
    let scales = vec4f(x_scale(local.y), x_scale(local.y + 16), x_scale(local.y + 32), x_scale(local.y + 48));
    for (var j = 0u; j < 4; j++) { sums[j] += vec4f(dots[j]) * scales * w_scale[local.x + 16 * j]; }
    workgroupBarrier();
  }

  put_tile(t0, n0, local, sums);
}

fn x_scale(row: u32) -> f32 {
  let at = 4 * row;
  return max(max(x_largest[at], x_largest[at + 1]), max(x_largest[at + 2], x_largest[at + 3])) / 127;
}
