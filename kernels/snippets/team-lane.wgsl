// A team is one thread, which reads its four weight rows alone: no barrier, no workgroup memory. For software
// drivers, whose barriers cost more than the reads that they save.
const STEP = 1u;
const HELD = TOKENS;

/// Tokens of the block, and those whose sums this thread holds. Hidden from the compiler: lavapipe takes half
/// a minute to unroll eight tokens, and the code is no faster.
fn tokens() -> u32 { return select(select(0, TOKENS, arrayLength(&x) > 0), 1, TOKENS == 1); }
fn held() -> u32 { return tokens(); }

fn team_of(group: u32, thread: u32) -> u32 { return group * THREADS + thread; }

/// The first column (in units of the reads) of this thread.
fn first_of(thread: u32) -> u32 { return 0; }

/// Index, within the block, of the token of the j-th sums that this thread holds.
fn token_held(j: u32, thread: u32) -> u32 { return j; }

/// Whether this thread writes output r of its team.
fn writes(r: u32, thread: u32) -> bool { return true; }

fn team_sums(sums: ptr<function, array<vec4f, TOKENS>>, thread: u32) -> array<RowSums, HELD> {
  var held: array<RowSums, HELD>;
  for (var i = 0u; i < tokens(); i++) { held[i] = RowSums(sums[i], input_factor(input_squares(i))); }
  return held;
}
