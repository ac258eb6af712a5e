// A team is a whole workgroup: its threads share the columns of four weight rows, and add up by subgroups first. A subgroup
// is taken to be consecutive threads, as it is everywhere though nobody promises it: the tuner drops what gives wrong sums.
const STEP = THREADS;

var<workgroup> partial: array<vec4f, THREADS / 4>;  // one a subgroup; the smallest have four threads
var<workgroup> squares: array<f32, THREADS / 4>;

fn team_of(group: u32, thread: u32) -> u32 { return group; }

/// Where this thread begins among the columns.
fn first_of(thread: u32) -> u32 { return thread; }

/// Whether this thread writes output r of its team.
fn writes(r: u32, thread: u32) -> bool { return r == thread; }

/// The sums over the team of four partial sums, under the factor of the input.
fn team_sum(sums: vec4f, thread: u32) -> vec4f {
  let of_subgroup = subgroupAdd(sums);
  let squares_of_subgroup = subgroupAdd(input_squares());
  let size = subgroupAdd(1u);
  if (subgroupElect()) {
    partial[thread / size] = of_subgroup;
    squares[thread / size] = squares_of_subgroup;
  }
  workgroupBarrier();
  var total = partial[0];
  var total_squares = squares[0];
  for (var i = 1u; i < THREADS / size; i++) {
    total += partial[i];
    total_squares += squares[i];
  }
  return total * input_factor(total_squares);
}
