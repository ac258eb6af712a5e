// Output of lora_b onto the finished product of the matrix.
@group(0) @binding(7) var<storage, read_write> y: array<f32>;  // [T, Y_STRIDE]

fn put(t: u32, n: u32, gain: f32, sum: f32) {
  let at = t * Y_STRIDE + n;
  y[at] = gain * (y[at] + sum);
}
fn put_none(t: u32, n: u32) {}
