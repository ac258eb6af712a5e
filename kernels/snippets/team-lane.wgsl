// A team is one thread, which reads its four weight rows alone: no barrier, no workgroup memory. For software drivers,
// where a barrier costs more than the reads that it saves.
const STEP = 1u;
const HELD = TOKENS;

/// Tokens of the block, and those whose sums this thread holds. Unknown to the compiler: lavapipe takes half a minute over
/// eight tokens that it can unroll, to no avail.
fn tokens() -> u32 { return select(0, TOKENS, arrayLength(&x) > 0); }
fn held() -> u32 { return tokens(); }

fn team_of(group: u32, thread: u32) -> u32 { return group * THREADS + thread; }

/// Where this thread begins among the columns.
fn first_of(thread: u32) -> u32 { return 0; }

/// Which token of the block the j-th sums that this thread holds are of.
fn token_held(j: u32, thread: u32) -> u32 { return j; }

/// Whether this thread writes output r of its team.
fn writes(r: u32, thread: u32) -> bool { return true; }

/// Each token's four sums under the factor of the input.
fn team_sums(sums: ptr<function, array<vec4f, TOKENS>>, thread: u32) -> array<vec4f, HELD> {
  for (var i = 0u; i < tokens(); i++) { sums[i] *= input_factor(input_squares(i)); }
  return *sums;
}
