// A team is a whole workgroup: its threads share the columns of four weight rows, and add up by subgroups
// first. This assumes that a subgroup has consecutive threads. No standard guarantees it, but all drivers do
// it; the tuner drops kernels that give wrong sums.
const STEP = THREADS;
const HELD = 1;

var<workgroup> partial: array<array<vec4f, THREADS / 4>, TOKENS>;  // per subgroup, of at least 4
var<workgroup> squares: array<array<f32, THREADS / 4>, TOKENS>;

/// Tokens of the block, and those whose sums this thread holds. Compile-time constants: sums stay in
/// registers.
fn tokens() -> u32 { return TOKENS; }
fn held() -> u32 { return HELD; }

fn team_of(group: u32, thread: u32) -> u32 { return group; }

/// The first column (in units of the reads) of this thread.
fn first_of(thread: u32) -> u32 { return thread; }

/// Index, within the block, of the token whose sums this thread holds.
fn token_held(j: u32, thread: u32) -> u32 { return thread / ROWS_PER_TEAM % TOKENS; }

/// Whether this thread writes output r of its team, for the token that it holds. A thread writes at most one
/// output.
fn writes(r: u32, thread: u32) -> bool {
  return thread < ROWS_PER_TEAM * TOKENS && thread % ROWS_PER_TEAM == r;
}

/// The sums, over the team, of the token that this thread holds.
fn team_sums(sums: ptr<function, array<vec4f, TOKENS>>, thread: u32) -> array<RowSums, HELD> {
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
  return array(RowSums(total, input_factor(total_squares)));
}
