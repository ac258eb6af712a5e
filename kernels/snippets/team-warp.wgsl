// A workgroup has TEAMS of LANES threads. A team computes the dot products of four weight rows with a block
// of TOKENS input rows. The kernel defines `weight_row`.
const ROWS_PER_TEAM = 4u;
const LANES = 32u;
const TEAMS = THREADS / LANES;
const STAGED_TOKENS = max(2u, TOKENS / 2);
const BATCH = min(TOKENS, STAGED_TOKENS);    // tokens whose sums are added at once
const HELD = 1;

var<workgroup> staged: array<vec4f, STAGED_TOKENS * THREADS>;

fn held() -> u32 { return HELD; }

/// The team whose output this thread writes. It computes for another one.
fn team_of(group: u32, thread: u32) -> u32 { return group * TEAMS + thread / ROWS_PER_TEAM % TEAMS; }

/// Index, within the block, of the token whose sums this thread holds.
fn token_held(j: u32, thread: u32) -> u32 { return thread / (ROWS_PER_TEAM * TEAMS) % TOKENS; }

/// Whether this thread writes output r of its team, for the token that it holds.
fn writes(r: u32, thread: u32) -> bool {
  return thread < ROWS_PER_TEAM * TEAMS * TOKENS && thread % ROWS_PER_TEAM == r;
}

/// The weight rows that this thread computes, if it holds sums of `team`.
fn computed_rows(team: u32, thread: u32) -> vec4u {
  let computed = team - team % TEAMS + thread / LANES;
  return vec4u(
    weight_row(computed, 0), weight_row(computed, 1), weight_row(computed, 2), weight_row(computed, 3)
  );
}

/// Adds the sums of the lanes, in the same order for all TOKENS: those of the token and the team that this
/// thread holds.
fn lanes_total(sums: ptr<function, array<vec4f, TOKENS>>, thread: u32) -> vec4f {
  let held = token_held(0, thread);
  var total = vec4f();
  for (var first = 0u; first < TOKENS; first += BATCH) {
    workgroupBarrier();
    for (var i = 0u; i < BATCH; i++) { staged[i * THREADS + thread] = sums[first + i]; }
    workgroupBarrier();
    for (var i = thread; i < 8 * TEAMS * BATCH; i += THREADS) {
      let at = i / 8 * LANES + i % 8;
      staged[at] = (staged[at] + staged[at + 8]) + (staged[at + 16] + staged[at + 24]);
    }
    workgroupBarrier();
    if (held / BATCH == first / BATCH) {
      let at = (held % BATCH * TEAMS + thread / ROWS_PER_TEAM % TEAMS) * LANES;
      for (var i = 0u; i < 8; i++) { total += staged[at + i]; }
    }
  }
  return total;
}
