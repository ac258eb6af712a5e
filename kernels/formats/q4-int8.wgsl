// weight[n, 32*g .. 32*g+31] = (q - 8) * scale[n, g], q nibbles, the lowest of a word first.
@group(0) @binding(6) var<storage, read> weight: array<vec4u>;  // [N, K/32], 32 codes each
@group(0) @binding(7) var<storage, read> scale: array<u32>;     // [N, ceil(K/64)], two f16 a word

/// The code that means zero.
const ZERO_CODE = 8;
alias Packed32 = vec4u;

fn packed32(n: u32, g: u32) -> Packed32 { return weight[n * (K / 32) + g]; }

/// 32 codes as bytes, in the order even_odd: columns 0 2 4 6, 1 3 5 7 of each eight.
fn bytes32(w: Packed32) -> Bytes32 {
  let even = w & vec4u(0x0f0f0f0f);
  let odd = (w >> vec4u(4)) & vec4u(0x0f0f0f0f);
  return Bytes32(vec4u(even.x, odd.x, even.y, odd.y), vec4u(even.z, odd.z, even.w, odd.w));
}

fn scale_of(n: u32, g: u32) -> f32 {
  let pair = unpack2x16float(scale[n * ((K + 63) / 64) + g / 2]);
  return select(pair.x, pair.y, (g & 1) != 0);
}
