// A team is one thread, which reads its four weight rows alone: no barrier, no workgroup memory. For software drivers,
// where a barrier costs more than the reads that it saves.
const STEP = 1u;

fn team_of(group: u32, thread: u32) -> u32 { return group * THREADS + thread; }

/// Where this thread begins among the columns.
fn first_of(thread: u32) -> u32 { return 0; }

/// Whether this thread writes output r of its team.
fn writes(r: u32, thread: u32) -> bool { return true; }

/// The four sums under the factor of the input.
fn team_sum(sums: vec4f, thread: u32) -> vec4f { return sums * input_factor(input_squares()); }
