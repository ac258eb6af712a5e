// cache[row] = half(fresh). A unit is four entries. Rounded in integers: pack2x16float may round either way.
override UNITS: u32 = VECTORS;  // of a row

fn store_unit(row: u32, unit: u32, t: u32, head: u32) {
  let four = bitcast<vec4u>(fresh4(t, head, unit));
  cache[row * VECTORS + unit] = vec2u(half(four.x) | (half(four.y) << 16), half(four.z) | (half(four.w) << 16));
}
