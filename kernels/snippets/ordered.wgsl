// Floats as integers in the same order, and back.
fn ordered(x: f32) -> u32 {
  let bits = bitcast<u32>(x);
  return select(bits | 0x80000000, ~bits, bits >= 0x80000000);
}

fn unordered(key: u32) -> f32 {
  return bitcast<f32>(select(~key, key & 0x7fffffff, key >= 0x80000000));
}
