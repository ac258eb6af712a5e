// Formats without scales, 32 weights at a time.
fn weight32(n: u32, g: u32) -> Weights32 {
  let i = 4 * g;
  return Weights32(array(weight8(n, i), weight8(n, i + 1), weight8(n, i + 2), weight8(n, i + 3)), 1.0, 0.0);
}
