// Tiles of f16: half the workgroup memory to read, and twice the arithmetic on GPUs that have it. Products of
// four are added in f16, the rest in f32.
alias element = f16;

const LARGEST = vec4f(65504);

/// Clamped to the range of f16.
fn tile4(v: vec4f) -> vec4<f16> { return vec4<f16>(clamp(v, -LARGEST, LARGEST)); }
