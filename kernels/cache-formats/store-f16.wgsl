// cache[row] = half(fresh). A unit is four entries. Rounds in integers: pack2x16float may round either way.
override UNITS: u32;  // of a row

fn store_unit(row: u32, unit: u32, t: u32, head: u32) {
  let four = bitcast<vec4u>(fresh4(t, head, unit));
  let low = half(four.x) | (half(four.y) << 16);
  let high = half(four.z) | (half(four.w) << 16);
  cache[row * VECTORS + unit] = vec2u(low, high);
}
