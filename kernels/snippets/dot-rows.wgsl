// The dot products of four weight rows with one input row by a team of threads, eight columns at a time. The input is read
// once for the four. `weight8` comes from formats/, `input8` from an input snippet, `weight_row` from the kernel.
override K: u32;      // stored width of a row, a multiple of 32

const ROWS = 4u;

/// sum_k weight[weight_row(team, r), k] * input[t, k] for r = 0 .. 3.
fn dot_rows(team: u32, t: u32, thread: u32) -> vec4f {
  let n = vec4u(weight_row(team, 0), weight_row(team, 1), weight_row(team, 2), weight_row(team, 3));
  var sums = vec4f();
  let end = select(0, K / 8, arrayLength(&x) > 0);  // unknown to the compiler, which would spend seconds on unrolling
  for (var k8 = first_of(thread); k8 < end; k8 += STEP) {
    let v = input8(t, k8);
    sums += vec4f(dot8(weight8(n.x, k8), v), dot8(weight8(n.y, k8), v), dot8(weight8(n.z, k8), v), dot8(weight8(n.w, k8), v));
  }
  return team_sum(sums, thread);
}
