// The dot products of four weight rows with one input row, by a team of one thread: no barrier, no workgroup memory.
// For software drivers, where a barrier costs more than the reads that it saves; see dot-rows.wgsl.
override K: u32;      // stored width of a row, a multiple of 32

const ROWS = 4u;
const THREADS = 64u;

fn team_of(group: u32, thread: u32) -> u32 { return group * THREADS + thread; }

/// Whether this thread writes output r of its team.
fn writes(r: u32, thread: u32) -> bool { return true; }

/// sum_k weight[weight_row(team, r), k] * input[t, k] for r = 0 .. 3.
fn dot_rows(team: u32, t: u32, thread: u32) -> vec4f {
  let n = vec4u(weight_row(team, 0), weight_row(team, 1), weight_row(team, 2), weight_row(team, 3));
  var sums = vec4f();
  let steps = select(0, K / 8, arrayLength(&x) > 0);  // unknown to the compiler, which would spend seconds on unrolling
  for (var k8 = 0u; k8 < steps; k8++) {
    let v = input8(t, k8);
    sums += vec4f(dot8(weight8(n.x, k8), v), dot8(weight8(n.y, k8), v), dot8(weight8(n.z, k8), v), dot8(weight8(n.w, k8), v));
  }
  return sums * input_factor(input_squares());
}
