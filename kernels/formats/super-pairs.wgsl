// (a, b) = (d * scale, -dmin * minimum) of columns 32*g .. 32*g+31 of row n. A vector has the f16 d and dmin,
// bytes of a six-bit scale and the upper two bits of a minimum, and nibbles with the lower four.
@group(0) @binding(7) var<storage, read> scale: array<vec4u>;  // [N, ceil(K/256)]

fn pair_of(n: u32, g: u32) -> vec2f {
  let words = scale[n * ((K + 255) / 256) + g / 8];
  let byte = select(words.y, words.z, (g & 4) != 0) >> (8 * (g % 4));
  let minimum = ((byte >> 2) & 0x30) | ((words.w >> (4 * (g % 8))) & 15);
  return unpack2x16float(words.x) * vec2f(f32(byte & 63), -f32(minimum));
}
