// cache[row] = half(fresh). A unit is a chunk. Rounds in integers: pack2x16float may round either way.
override UNITS: u32;  // of a row

fn store_unit(row: u32, unit: u32, t: u32, head: u32) {
  let low = halves(fresh4(t, head, 2 * unit));
  cache[row * CHUNKS + unit] = vec4u(low, halves(fresh4(t, head, 2 * unit + 1)));
}

fn halves(entries: vec4f) -> vec2u {
  let four = bitcast<vec4u>(entries);
  return vec2u(half(four.x) | (half(four.y) << 16), half(four.z) | (half(four.w) << 16));
}
