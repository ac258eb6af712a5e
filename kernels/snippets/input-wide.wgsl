/// Entries 32*g .. 32*g+31 of row t of the input, token i of the block.
fn input32(i: u32, t: u32, g: u32) -> Input32 {
  let values = array(
    input8(i, t, 4 * g), input8(i, t, 4 * g + 1), input8(i, t, 4 * g + 2), input8(i, t, 4 * g + 3)
  );
  let sum = values[0][0] + values[0][1] + values[1][0] + values[1][1]
    + values[2][0] + values[2][1] + values[3][0] + values[3][1];
  return Input32(values, dot(sum, vec4f(1)));
}
