// The input of A.
@group(0) @binding(0) var<storage, read> x: array<vec4f>;  // [T, K], zero in padding

fn input4(t: u32, i: u32) -> vec4f { return x[t * (K / 4) + i]; }
fn input_factor(thread: u32) -> f32 { return 1; }
