// The tokens that a team takes together.
override LAST_TOKEN: u32 = 0xffffffff;  // of the pass; told where the last block is not full

/// The row of token i of a block. The last one's again past it: nobody writes those.
fn token_row(block: u32, i: u32) -> u32 { return min(block * TOKENS + i, LAST_TOKEN); }
