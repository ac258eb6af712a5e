// The dot products of four weight rows with one input row, by a team: all threads of a workgroup, for GPUs. The input is
// read once for the four. `weight8` comes from kernels/formats/, `input8` from an input snippet, `weight_row` from the kernel.
// Two barriers and a tree of eight by eight: software drivers take seconds to compile a deep one.
override K: u32;      // stored width of a row, a multiple of 32

const ROWS = 4u;
const THREADS = 64u;

var<workgroup> partial: array<vec4f, THREADS>;
var<workgroup> squares: array<f32, THREADS>;

fn team_of(group: u32, thread: u32) -> u32 { return group; }

/// Whether this thread writes output r of its team.
fn writes(r: u32, thread: u32) -> bool { return r == thread; }

/// sum_k weight[weight_row(team, r), k] * input[t, k] for r = 0 .. 3, for every thread of the team.
fn dot_rows(team: u32, t: u32, thread: u32) -> vec4f {
  let n = vec4u(weight_row(team, 0), weight_row(team, 1), weight_row(team, 2), weight_row(team, 3));
  var sums = vec4f();
  for (var k8 = thread; k8 < K / 8; k8 += THREADS) {
    let v = input8(t, k8);
    sums += vec4f(dot8(weight8(n.x, k8), v), dot8(weight8(n.y, k8), v), dot8(weight8(n.z, k8), v), dot8(weight8(n.w, k8), v));
  }
  partial[thread] = sums;
  squares[thread] = input_squares();
  workgroupBarrier();
  if (thread < 8) {
    for (var i = thread + 8; i < THREADS; i += 8) {
      partial[thread] += partial[i];
      squares[thread] += squares[i];
    }
  }
  workgroupBarrier();
  var total = partial[0];
  var total_squares = squares[0];
  for (var i = 1u; i < 8; i++) {
    total += partial[i];
    total_squares += squares[i];
  }
  return total * input_factor(total_squares);
}
