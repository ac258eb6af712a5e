// gains[slot, N0 + n] /= sqrt(sum_k (W[n, k] + sum_m B[slot, N0 + n, m] A[slot, block, m, k])^2)
// (DoRA, Liu et al. 2024.) One workgroup per row n of this part of the matrix and adapter. Runs once at load.

override N0: u32;            // first row of this part
override ROWS: u32;          // rows of the whole matrix
override WIDTH: u32;         // columns
override K: u32;             // the same, padded
override R: u32;             // rank
override M: u32;             // rows of A of one adapter
override THREADS: u32 = 64;

@group(0) @binding(0) var<storage, read> a: array<f32>;            // [slots, M, K]
@group(0) @binding(1) var<storage, read> b: array<f32>;            // [slots, ROWS, R]
@group(0) @binding(2) var<storage, read_write> gains: array<f32>;  // [slots, ROWS] magnitudes before
@group(0) @binding(3) var<storage, read> blocks: array<u32>;       // [ROWS] which R rows of A
@group(0) @binding(4) var<storage, read> columns: array<u32>;      // [K] the column of A for one of W
@group(0) @binding(5) var<storage, read> is_dora: array<u32>;      // [slots, ROWS]

@compute @workgroup_size(THREADS)
fn dora_gain(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let slot = group.y;
  let row = slot * ROWS + N0 + group.x;
  if (is_dora[row] == 0) { return; }
  let first = slot * M + blocks[N0 + group.x] * R;
  var squares = 0.0;
  for (var k8 = thread; k8 < K / 8; k8 += THREADS) {
    let weights = weight8(group.x, k8);
    for (var i = 0u; i < 8; i++) {
      let k = 8 * k8 + i;
      if (k >= WIDTH) { break; }
      var value = weights[i / 4][i % 4];
      for (var m = 0u; m < R; m++) { value += b[row * R + m] * a[(first + m) * K + columns[k]]; }
      squares += value * value;
    }
  }
  let total = workgroup_sum(squares, thread);
  // A row of zeros has no direction: it stays.
  if (thread == 0) { gains[row] = select(0.0, gains[row] * inverseSqrt(total), total > 0.0); }
}
