// Output of lora_b for a matrix kernel: what its product is multiplied by, and what is added. See
// addend-delta.wgsl.
@group(0) @binding(7) var<storage, read_write> y: array<vec2f>;  // [T, Y_STRIDE]

fn put(t: u32, n: u32, gain: f32, sum: f32) {
  y[t * Y_STRIDE + n] = vec2f(gain, with_addend(gain * sum, t, n));
}
fn put_none(t: u32, n: u32) { y[t * Y_STRIDE + n] = vec2f(1, with_addend(0, t, n)); }
