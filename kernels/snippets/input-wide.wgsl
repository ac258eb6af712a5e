/// Entries 32*g .. 32*g+31 of row t of the input, token i of the block.
fn input32(i: u32, t: u32, g: u32) -> Input32 {
  let a = input8(i, t, 4 * g);
  let b = input8(i, t, 4 * g + 1);
  let c = input8(i, t, 4 * g + 2);
  let d = input8(i, t, 4 * g + 3);
  return Input32(array(a.values, b.values, c.values, d.values), total4((a.sum + b.sum) + (c.sum + d.sum)));
}
