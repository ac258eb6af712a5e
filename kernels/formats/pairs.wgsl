// (a, b) of columns 32*g .. 32*g+31 of row n.
@group(0) @binding(7) var<storage, read> scale: array<u32>;     // [N, ceil(K/GROUP)], two f16 a word

fn pair_of(n: u32, g: u32) -> vec2f {
  return unpack2x16float(scale[n * ((K + GROUP - 1) / GROUP) + g / (GROUP / 32)]);
}
