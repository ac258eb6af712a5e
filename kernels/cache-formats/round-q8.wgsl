// A group of 32 entries as codes and a scale.

/// largest / 127 in 16 significant bits: a scale times (code + 1/2) is exact. Never 0: zeros can be divided
/// by it.
fn scale_of(largest: f32) -> f32 {
  return bitcast<f32>((bitcast<u32>(max(largest * (1.0 / 127), 1e-30)) + 0x80) & 0xffffff00);
}

/// The nearest codes, ties away from zero. WGSL's division may be off in the last bits, which matters next to
/// a tie: the comparisons with exact products correct it.
fn codes(four: vec4f, scale: f32) -> vec4i {
  let size = abs(four);
  let near = floor(size / scale + 0.5);
  let above = select(vec4f(), vec4f(1), (near + 0.5) * scale <= size);
  let below = select(vec4f(), vec4f(1), (near - 0.5) * scale > size);
  return vec4i(sign(four) * min(near + above - below, vec4f(127)));
}
