// The dot products of ROWS weight rows with one input row, by all THREADS of a workgroup. The input is read once for all
// of them. `weight8` comes from kernels/formats/, `input8` from an input snippet.
override K: u32;              // stored width of a row, a multiple of 32
override THREADS: u32 = 64;   // a power of two

const LANES = ROWS + 1;       // one sum a row, and the squares of the input

var<workgroup> partial: array<array<f32, LANES>, THREADS>;

/// sum_k weight[rows[r], k] * input[t, k] for every r; only thread 0 gets it.
fn dot_rows(rows: array<u32, ROWS>, t: u32, thread: u32) -> array<f32, ROWS> {
  var sums: array<f32, LANES>;
  for (var k8 = thread; k8 < K / 8; k8 += THREADS) {
    let v = input8(t, k8);
    for (var r = 0u; r < ROWS; r++) {
      let w = weight8(rows[r], k8);
      sums[r] += dot(w[0], v[0]) + dot(w[1], v[1]);
    }
  }
  sums[ROWS] = input_squares();

  partial[thread] = sums;
  workgroupBarrier();
  for (var half = THREADS / 2; half > 0; half /= 2) {
    if (thread < half) {
      for (var r = 0u; r < LANES; r++) { partial[thread][r] += partial[thread + half][r]; }
    }
    workgroupBarrier();
  }

  var totals: array<f32, ROWS>;
  if (thread == 0) {
    let factor = input_factor(partial[0][ROWS]);
    for (var r = 0u; r < ROWS; r++) { totals[r] = partial[0][r] * factor; }
  }
  return totals;
}
