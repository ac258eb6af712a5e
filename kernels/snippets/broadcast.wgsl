// The lanes of a subgroup of SUBGROUP (4 or 8) need the same input: each reads a quarter or an eighth and
// broadcasts it. Software drivers read for one lane at a time, even if all lanes need the same value.

/// Entries 32*g .. 32*g+31 of row t of the input, token i of the block. An element snippet defines `element`.
fn input32(i: u32, t: u32, g: u32) -> Input32 {
  let lane = subgroupExclusiveAdd(1u);
  let k = 32 * g + lane;
  // One entry of each eight; in a subgroup of four, of the first half of each eight.
  let own = every8(i, t, k);
  if (SUBGROUP == 8) {
    let values = array(eight(own.values.x), eight(own.values.y), eight(own.values.z), eight(own.values.w));
    return Input32(values, subgroupAdd(own.sum));
  }
  let more = every8(i, t, k + 4);
  let values = array(
    mat2x4f(four(own.values.x), four(more.values.x)),
    mat2x4f(four(own.values.y), four(more.values.y)),
    mat2x4f(four(own.values.z), four(more.values.z)),
    mat2x4f(four(own.values.w), four(more.values.w)),
  );
  return Input32(values, subgroupAdd(own.sum + more.sum));
}

struct Every8 { values: vec4f, sum: f32 }

/// Entries k, k + 8, k + 16, k + 24 of row t, and their sum by fma, as in dot8.wgsl.
fn every8(i: u32, t: u32, k: u32) -> Every8 {
  let a = element(i, t, k);
  let b = element(i, t, k + 8);
  let c = element(i, t, k + 16);
  let d = element(i, t, k + 24);
  return Every8(
    vec4f(a.x * a.y, b.x * b.y, c.x * c.y, d.x * d.y),
    fma(a.x, a.y, fma(b.x, b.y, fma(c.x, c.y, d.x * d.y))),
  );
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
