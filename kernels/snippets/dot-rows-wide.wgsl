// As dot-rows.wgsl, 32 columns at a time: loads of 16 bytes, and one scale for all 32. A format defines
// `weight32`, an input snippet `input32`, the kernel `weight_row`.
override K: u32;      // stored width of a row, a multiple of 32

const ROWS_PER_TEAM = 4u;

/// As in dot-rows.wgsl.
fn dot_rows(team: u32, block: u32, thread: u32) -> array<RowSums, HELD> {
  let n = vec4u(weight_row(team, 0), weight_row(team, 1), weight_row(team, 2), weight_row(team, 3));
  var sums = array<vec4f, TOKENS>();
  let end = select(0, K / 32, arrayLength(&x) > 0);  // hidden from the compiler: unrolling takes it seconds
  for (var g = first_of(thread); g < end; g += STEP) {
    if (TOKENS == 1) {  // does not hold four unpacked weights, which take registers
      let v = input32(0, token_row(block, 0), g);
      let before = sums[0];
      sums[0] = vec4f(
        dot32(weight32(n.x, g), v, before.x), dot32(weight32(n.y, g), v, before.y),
        dot32(weight32(n.z, g), v, before.z), dot32(weight32(n.w, g), v, before.w),
      );
      continue;
    }
    let w = array(weight32(n.x, g), weight32(n.y, g), weight32(n.z, g), weight32(n.w, g));
    for (var i = 0u; i < tokens(); i++) {
      let v = input32(i, token_row(block, i), g);
      let before = sums[i];
      sums[i] = vec4f(
        dot32(w[0], v, before.x), dot32(w[1], v, before.y),
        dot32(w[2], v, before.z), dot32(w[3], v, before.w),
      );
    }
  }
  return team_sums(&sums, thread);
}
