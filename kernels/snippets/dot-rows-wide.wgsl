// The dot products of four weight rows with one input row by a team of threads, 32 columns at a time: loads of 16 bytes,
// and one scale for each. `weight32` comes from formats/, `input32` from an input snippet, `weight_row` from the kernel.
override K: u32;      // stored width of a row, a multiple of 32

const ROWS = 4u;

/// sum_k weight[weight_row(team, r), k] * input[t, k] for r = 0 .. 3.
fn dot_rows(team: u32, t: u32, thread: u32) -> vec4f {
  let n = vec4u(weight_row(team, 0), weight_row(team, 1), weight_row(team, 2), weight_row(team, 3));
  var sums = vec4f();
  let end = select(0, K / 32, arrayLength(&x) > 0);  // unknown to the compiler, which would spend seconds on unrolling
  for (var g = first_of(thread); g < end; g += STEP) {
    let v = input32(t, g);
    sums += vec4f(
      dot32(weight32(n.x, g), v), dot32(weight32(n.y, g), v), dot32(weight32(n.z, g), v), dot32(weight32(n.w, g), v),
    );
  }
  return team_sum(sums, thread);
}
