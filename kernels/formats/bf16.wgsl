// weight[n, 8*k8 .. 8*k8+7], bf16 (the upper half of an f32) in pairs, the lower half of a word first.
@group(0) @binding(6) var<storage, read> weight: array<vec4u>;  // [N, K/8], eight bf16 each

alias Words8 = vec4u;

fn words8(n: u32, k8: u32) -> Words8 { return weight[n * (K / 8) + k8]; }

fn unpack8(w: Words8) -> mat2x4f {
  let even = bitcast<vec4f>(w << vec4u(16));
  let odd = bitcast<vec4f>(w & vec4u(0xffff0000));
  return mat2x4f(even.x, odd.x, even.y, odd.y, even.z, odd.z, even.w, odd.w);
}

fn weight8(n: u32, k8: u32) -> mat2x4f { return unpack8(words8(n, k8)); }
