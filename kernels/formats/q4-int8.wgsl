// weight[n, 8*k8 .. 8*k8+7] = (q - 8) * scale[n, k / 32], q nibbles, the lowest of a word first; q - 8 as
// bytes.
@group(0) @binding(6) var<storage, read> weight: array<u32>;  // [N, K/8], eight codes each
@group(0) @binding(7) var<storage, read> scale: array<u32>;   // [N, ceil(K/64)], two f16 a word

fn codes8(n: u32, k8: u32) -> vec2u {
  let w = weight[n * (K / 8) + k8];
  return vec2u(signed_bytes(w), signed_bytes(w >> 16));
}

/// The lowest four nibbles minus 8, as bytes. Bit 7 is set so that no byte borrows from its neighbour.
fn signed_bytes(w: u32) -> u32 {
  let q = (w & 15) | ((w & 0xf0) << 4) | ((w & 0xf00) << 8) | ((w & 0xf000) << 12);
  return ((q | 0x80808080) - 0x08080808) ^ 0x80808080;
}

fn scale_of(n: u32, g: u32) -> f32 {
  let pair = unpack2x16float(scale[n * ((K + 63) / 64) + g / 2]);
  return select(pair.x, pair.y, (g & 1) != 0);
}
