// The input of A under RMSNorm: the squares are added up while x is read, as in input-norm.wgsl.
override D: u32;    // model width; K is D rounded up to a multiple of 32
override EPS: f32;

@group(0) @binding(0) var<storage, read> x: array<vec4f>;     // [T, K], zero from D on
@group(0) @binding(1) var<storage, read> gain: array<vec4f>;  // [K], zero from D on

var<private> squares_seen: f32;

fn input4(t: u32, i: u32) -> vec4f {
  let value = x[t * (K / 4) + i];
  squares_seen += dot(value, value);
  return value * gain[i];
}
fn input_factor(thread: u32) -> f32 {
  let squares = workgroup_sum(squares_seen, thread);
  squares_seen = 0;
  return inverseSqrt(squares / f32(D) + EPS);
}
