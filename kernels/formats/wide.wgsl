// Formats without scales, 32 weights at a time.
const ZERO_CODE = 0.0;

fn weight32(n: u32, g: u32) -> Weights32 {
  return Weights32(array(weight8(n, 4 * g), weight8(n, 4 * g + 1), weight8(n, 4 * g + 2), weight8(n, 4 * g + 3)), 1.0);
}
