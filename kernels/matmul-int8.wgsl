// y[t, N0 + n] = sum_k x[t, k] * weight[n, k]   (+ y[t, N0 + n] if ADD: the residual stream)
// x comes from quantize_input: codes under a scale for 32 columns, as the weights. dot4I8Packed multiplies
// and adds the codes of four columns. One workgroup per tile of 64 tokens x 64 rows, 64 columns at a time;
// each of the 16 x 16 threads keeps 4 x 4 sums in registers. A thread reads its part of the next columns
// before it multiplies those at hand. x and y hold whole tiles of tokens: rows past T are computed and
// unused.

@group(0) @binding(0) var<storage, read> codes: array<vec4u>;   // [T, K/16], four signed bytes a word
@group(0) @binding(2) var<storage, read> groups: array<vec2f>;  // [T, K/32] scale, sum of the codes

// [4 vectors of 16 codes along K, 64 tokens or rows], with strides that keep threads on banks of their own.
const STRIDE = 66u;
const GROUP_STRIDE = 72u;
var<workgroup> x_tile: array<vec4u, 4 * STRIDE>;
var<workgroup> w_tile: array<vec4u, 4 * STRIDE>;
var<workgroup> x_groups: array<vec2i, 2 * GROUP_STRIDE>;  // bits of the scale; what the zero of weights adds
var<workgroup> w_scales: array<f32, 2 * GROUP_STRIDE>;

/// What a thread reads for a step: 16 columns of a token; threads below 128 also 32 columns of a row, and the
/// scales of two groups.
struct Part {
  x: vec4u,
  x_group: vec2f,
  w: Packed32,
  w_scale: f32,
}

@compute @workgroup_size(16, 16)
fn matmul(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_id) local: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let n0 = group.x * 64;
  let t0 = group.y * 64;
  var sums: array<vec4f, 4>;  // [token, row]

  // Hidden from the compiler, which would spend seconds on unrolling.
  let steps = select(0, (K + 63) / 64, arrayLength(&codes) > 0);
  let two = select(0u, 2u, arrayLength(&codes) > 0);
  var part = read_part(t0, n0, 0, thread);
  for (var step = 0u; step < steps; step++) {
    x_tile[(thread % 4) * STRIDE + thread / 4] = part.x;
    if (thread < 128) {
      let g = thread % 2;
      let w = bytes32(part.w);
      w_tile[2 * g * STRIDE + thread / 2] = w.low;
      w_tile[(2 * g + 1) * STRIDE + thread / 2] = w.high;
      w_scales[g * GROUP_STRIDE + thread / 2] = part.w_scale;
      let zero = -ZERO_CODE * i32(part.x_group.y);
      x_groups[g * GROUP_STRIDE + thread / 2] = vec2i(bitcast<i32>(part.x_group.x), zero);
    }
    workgroupBarrier();

    if (step + 1 < steps) { part = read_part(t0, n0, step + 1, thread); }
    for (var g = 0u; g < two; g++) {
      var dots = array<vec4i, 4>();
      for (var half = 2 * g; half < 2 * g + two; half++) {
        let w_at = half * STRIDE + local.x;
        let w0 = w_tile[w_at];
        let w1 = w_tile[w_at + 16];
        let w2 = w_tile[w_at + 32];
        let w3 = w_tile[w_at + 48];
        for (var i = 0u; i < 4; i++) {
          let x = x_tile[half * STRIDE + local.y + 16 * i];
          dots[i] += vec4i(dot16(x, w0), dot16(x, w1), dot16(x, w2), dot16(x, w3));
        }
      }
      let w_at = g * GROUP_STRIDE + local.x;
      let scales = vec4f(w_scales[w_at], w_scales[w_at + 16], w_scales[w_at + 32], w_scales[w_at + 48]);
      for (var i = 0u; i < 4; i++) {
        let x_group = x_groups[g * GROUP_STRIDE + local.y + 16 * i];
        sums[i] = fma(vec4f(dots[i] + x_group.y) * bitcast<f32>(x_group.x), scales, sums[i]);
      }
    }
    workgroupBarrier();
  }

  for (var i = 0u; i < 4; i++) {
    for (var j = 0u; j < 4; j++) {
      let n = n0 + local.x + 16 * j;
      if (n < N) { put(t0 + local.y + 16 * i, n, sums[i][j]); }
    }
  }
}

/// Past the last group of 32 columns, scales are 0.
fn read_part(t0: u32, n0: u32, step: u32, thread: u32) -> Part {
  var part = Part();
  part.x = codes[(t0 + thread / 4) * (K / 16) + 4 * step + thread % 4];
  let g = 2 * step + thread % 2;
  if (thread < 128 && g < K / 32) {
    let n = min(n0 + thread / 2, N - 1);
    part.x_group = groups[(t0 + thread / 2) * (K / 32) + g];
    part.w = packed32(n, g);
    part.w_scale = scale_of(n, g);
  }
  return part;
}
