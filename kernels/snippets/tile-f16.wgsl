// Tiles of f16: half the workgroup memory to read. Products and sums are f32: a product of two values that
// f16 can hold may exceed its range.
alias element = f16;

const LARGEST = vec4f(65504);

/// Clamped to the range of f16.
fn tile4(v: vec4f) -> vec4<f16> { return vec4<f16>(clamp(v, -LARGEST, LARGEST)); }
