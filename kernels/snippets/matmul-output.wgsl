// The output of every variant of matmul.
override N: u32;              // rows of this part of the matrix
override N0: u32;             // output column of its first row
override K: u32;              // stored width of a row, a multiple of 32
override Y_STRIDE: u32;       // stored width of an output row
override ADD: bool;

@group(0) @binding(1) var<storage, read_write> y: array<f32>;  // [T, Y_STRIDE]

/// Stores the sum of token t and row n of this part; adds it to the output if ADD.
fn put(t: u32, n: u32, sum: f32) {
  let at = t * Y_STRIDE + N0 + n;
  y[at] = with_addend(product_gain(t, N0 + n) * sum, t, N0 + n) + select(0.0, y[at], ADD);
}
