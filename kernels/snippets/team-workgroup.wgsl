// A team is a whole workgroup: its threads share the columns of four weight rows, and add up in workgroup
// memory. Two barriers, and a tree of eight by THREADS / 8: software drivers take seconds to compile a deep
// one.
const STEP = THREADS;
const HELD = 1;

var<workgroup> partial: array<array<vec4f, THREADS>, TOKENS>;
var<workgroup> squares: array<array<f32, THREADS>, TOKENS>;

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
  for (var i = 0u; i < TOKENS; i++) {
    partial[i][thread] = sums[i];
    squares[i][thread] = input_squares(i);
  }
  workgroupBarrier();
  for (var eighth = thread; eighth < 8 * TOKENS; eighth += THREADS) {
    let i = eighth / 8;
    for (var from_thread = eighth % 8 + 8; from_thread < THREADS; from_thread += 8) {
      partial[i][eighth % 8] += partial[i][from_thread];
      squares[i][eighth % 8] += squares[i][from_thread];
    }
  }
  workgroupBarrier();
  let held = token_held(0, thread);
  var total = partial[held][0];
  var total_squares = squares[held][0];
  for (var eighth = 1u; eighth < 8; eighth++) {
    total += partial[held][eighth];
    total_squares += squares[held][eighth];
  }
  return array(RowSums(total, input_factor(total_squares)));
}
