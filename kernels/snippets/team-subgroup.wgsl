// A team is a whole workgroup: its threads share the columns of four weight rows, and add up by subgroups first. A subgroup
// is taken to be consecutive threads, as it is everywhere though nobody promises it: the tuner drops what gives wrong sums.
const STEP = THREADS;
const HELD = 1;

var<workgroup> partial: array<array<vec4f, THREADS / 4>, TOKENS>;  // one a subgroup; the smallest have four threads
var<workgroup> squares: array<array<f32, THREADS / 4>, TOKENS>;

/// Tokens of the block, and those whose sums this thread holds; known, so that a GPU keeps sums in registers.
fn tokens() -> u32 { return TOKENS; }
fn held() -> u32 { return HELD; }

fn team_of(group: u32, thread: u32) -> u32 { return group; }

/// Where this thread begins among the columns.
fn first_of(thread: u32) -> u32 { return thread; }

/// Which token of the block the sums that this thread holds are of.
fn token_held(j: u32, thread: u32) -> u32 { return thread / ROWS % TOKENS; }

/// Whether this thread writes output r of its team, for the token that it holds: each thread one output at most.
fn writes(r: u32, thread: u32) -> bool { return thread < ROWS * TOKENS && thread % ROWS == r; }

/// The sums over the team of the four partial sums of the token that this thread holds, under the factor of its input.
fn team_sums(sums: ptr<function, array<vec4f, TOKENS>>, thread: u32) -> array<vec4f, HELD> {
  let size = subgroupAdd(1u);
  for (var i = 0u; i < TOKENS; i++) {
    let of_subgroup = subgroupAdd(sums[i]);
    let squares_of_subgroup = subgroupAdd(input_squares(i));
    if (subgroupElect()) {
      partial[i][thread / size] = of_subgroup;
      squares[i][thread / size] = squares_of_subgroup;
    }
  }
  workgroupBarrier();
  let held = token_held(0, thread);
  var total = partial[held][0];
  var total_squares = squares[held][0];
  for (var i = 1u; i < THREADS / size; i++) {
    total += partial[held][i];
    total_squares += squares[held][i];
  }
  return array(total * input_factor(total_squares));
}
