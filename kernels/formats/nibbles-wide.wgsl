// The nibbles of a word as floats, the lowest first.
fn codes8(w: u32) -> mat2x4f {
  return mat2x4f(
    vec4f((vec4u(w) >> vec4u(0, 4, 8, 12)) & vec4u(15)),
    vec4f((vec4u(w) >> vec4u(16, 20, 24, 28)) & vec4u(15)),
  );
}
