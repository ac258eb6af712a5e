// A team of threads computes the dot products of four weight rows with a block of TOKENS input rows, eight
// columns at a time. The weights are read and unpacked once for the block. A format defines `weight8`, an
// input snippet `input8`, the kernel `weight_row`.
override K: u32;      // stored width of a row, a multiple of 32

const ROWS_PER_TEAM = 4u;

/// sum_k weight[weight_row(team, r), k] * input[t, k] for r = 0 .. 3 and the HELD tokens t that this thread
/// holds. A token's sums have the same bits for every TOKENS, and for any other tokens in its block: the same
/// operations in the same order, and products added by fma.
fn dot_rows(team: u32, block: u32, thread: u32) -> array<RowSums, HELD> {
  let n = vec4u(weight_row(team, 0), weight_row(team, 1), weight_row(team, 2), weight_row(team, 3));
  var sums = array<vec4f, TOKENS>();
  let end = select(0, K / 8, arrayLength(&x) > 0);  // hidden from the compiler: unrolling takes it seconds
  for (var k8 = first_of(thread); k8 < end; k8 += STEP) {
    if (TOKENS == 1) {  // does not hold four unpacked weights, which take registers
      let v = input8(0, token_row(block, 0), k8).values;
      sums[0] += vec4f(
        dot8(weight8(n.x, k8), v), dot8(weight8(n.y, k8), v),
        dot8(weight8(n.z, k8), v), dot8(weight8(n.w, k8), v),
      );
      continue;
    }
    let w = array(weight8(n.x, k8), weight8(n.y, k8), weight8(n.z, k8), weight8(n.w, k8));
    for (var i = 0u; i < tokens(); i++) {
      let v = input8(i, token_row(block, i), k8).values;
      sums[i] += vec4f(dot8(w[0], v), dot8(w[1], v), dot8(w[2], v), dot8(w[3], v));
    }
  }
  return team_sums(&sums, thread);
}
