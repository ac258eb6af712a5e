// The tokens that a team computes together.
override LAST_TOKEN: u32 = 0xffffffff;  // of the pass; set if the last block is not full

/// The row of token i of a block. Past the last token it repeats that one; those results are not written.
fn token_row(block: u32, i: u32) -> u32 { return min(block * TOKENS + i, LAST_TOKEN); }

/// The sums of four rows with the input of one token, and the factor of that input.
struct RowSums { rows: vec4f, factor: f32 }

/// base + product r with its addend, which is that of `column` of the whole product. An fma, as in dot8.wgsl.
fn plus_product(base: f32, sums: RowSums, r: u32, t: u32, column: u32) -> f32 {
  return fma(sums.rows[r], sums.factor * product_gain(t, column), with_addend(base, t, column));
}
