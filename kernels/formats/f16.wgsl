// weight[n, 8*k8 .. 8*k8+7], stored as f16 in pairs, the lower half of a word first.
@group(0) @binding(6) var<storage, read> weight: array<vec4u>;  // [N, K/8], eight f16 each

alias Words8 = vec4u;

fn words8(n: u32, k8: u32) -> Words8 { return weight[n * (K / 8) + k8]; }

fn unpack8(w: Words8) -> mat2x4f {
  return mat2x4f(
    vec4f(unpack2x16float(w.x), unpack2x16float(w.y)),
    vec4f(unpack2x16float(w.z), unpack2x16float(w.w)),
  );
}

fn weight8(n: u32, k8: u32) -> mat2x4f { return unpack8(words8(n, k8)); }
