// A team is a whole workgroup: its threads share the columns of four weight rows, and add up through workgroup memory.
// Two barriers and a tree of eight by THREADS / 8: software drivers take seconds to compile a deep one.
const STEP = THREADS;

var<workgroup> partial: array<vec4f, THREADS>;
var<workgroup> squares: array<f32, THREADS>;

fn team_of(group: u32, thread: u32) -> u32 { return group; }

/// Where this thread begins among the columns.
fn first_of(thread: u32) -> u32 { return thread; }

/// Whether this thread writes output r of its team.
fn writes(r: u32, thread: u32) -> bool { return r == thread; }

/// The sums over the team of four partial sums, under the factor of the input.
fn team_sum(sums: vec4f, thread: u32) -> vec4f {
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
