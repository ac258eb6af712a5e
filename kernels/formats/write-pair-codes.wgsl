// Stores the codes of x, columns k .. k + count - 1 of row n, and code 0 for the columns that pad the group.
fn write_codes(n: u32, k: u32, count: u32, pair: vec2i) {
  for (var i = 0u; i < min(GROUP, width() - k); i += 8) {
    var codes = 0u;
    for (var j = i; j < min(i + 8, count); j++) { codes |= u32(code(x[j], pair.x, pair.y)) << (4 * (j - i)); }
    weight[(n * width() + k + i) / 8] = codes;
  }
}
