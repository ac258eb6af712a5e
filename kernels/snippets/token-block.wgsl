// The tokens that a team computes together.
override LAST_TOKEN: u32 = 0xffffffff;  // of the pass; set if the last block is not full

/// The row of token i of a block. Past the last token it repeats that one; those results are not written.
fn token_row(block: u32, i: u32) -> u32 { return min(block * TOKENS + i, LAST_TOKEN); }
