// Philox4x32-7, a stateless random generator: 128 random bits from a counter and a key.
// (Salmon et al. 2011, Parallel random numbers: as easy as 1, 2, 3. Seven rounds pass BigCrush.)
// Uses snippets/wide-integer.wgsl.
fn philox(counter: vec4u, seed: vec2u) -> vec4u {
  var c = counter;
  var key = seed;
  for (var round = 0u; round < 7; round++) {
    let a = wide_product(0xd2511f53u, c.x);
    let b = wide_product(0xcd9e8d57u, c.z);
    c = vec4u(b.y ^ c.y ^ key.x, b.x, a.y ^ c.w ^ key.y, a.x);
    key += vec2u(0x9e3779b9u, 0xbb67ae85u);
  }
  return c;
}
