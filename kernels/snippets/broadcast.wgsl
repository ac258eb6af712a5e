// The lanes of a subgroup of SUBGROUP (4 or 8) need the same input: each reads a quarter or an eighth and
// broadcasts it. Software drivers read for one lane at a time, even if all lanes need the same value.

/// Entries 32*g .. 32*g+31 of row t of the input, token i of the block. An element snippet defines `element`.
fn input32(i: u32, t: u32, g: u32) -> Input32 {
  let lane = subgroupExclusiveAdd(1u);
  let k = 32 * g + lane;
  // One entry of each eight; in a subgroup of four, of the first half of each eight.
  let own = vec4f(element(i, t, k), element(i, t, k + 8), element(i, t, k + 16), element(i, t, k + 24));
  if (SUBGROUP == 8) {
    let values = array(eight(own.x), eight(own.y), eight(own.z), eight(own.w));
    return Input32(values, subgroupAdd(dot(own, vec4f(1))));
  }
  let more = vec4f(element(i, t, k + 4), element(i, t, k + 12), element(i, t, k + 20), element(i, t, k + 28));
  let values = array(
    mat2x4f(four(own.x), four(more.x)),
    mat2x4f(four(own.y), four(more.y)),
    mat2x4f(four(own.z), four(more.z)),
    mat2x4f(four(own.w), four(more.w)),
  );
  return Input32(values, subgroupAdd(dot(own + more, vec4f(1))));
}

fn four(v: f32) -> vec4f {
  return vec4f(
    subgroupBroadcast(v, 0u), subgroupBroadcast(v, 1u), subgroupBroadcast(v, 2u), subgroupBroadcast(v, 3u)
  );
}

fn eight(v: f32) -> mat2x4f {
  return mat2x4f(
    four(v),
    vec4f(
      subgroupBroadcast(v, 4u), subgroupBroadcast(v, 5u), subgroupBroadcast(v, 6u), subgroupBroadcast(v, 7u)
    ),
  );
}
