// cache[row] = round(fresh / scale). A unit is a chunk of codes, or the scales of eight chunks: no two
// threads write one vector. A scale is computed wherever it is needed.
override UNITS: u32;  // of a row

fn store_unit(row: u32, unit: u32, t: u32, head: u32) {
  if (unit >= CHUNKS) {
    let group = 4 * (unit - CHUNKS);
    cache[row_start(row) + unit] = bitcast<vec4u>(vec4f(
      group_scale(t, head, group),
      group_scale(t, head, group + 1),
      group_scale(t, head, group + 2),
      group_scale(t, head, group + 3),
    ));
    return;
  }
  let scale = group_scale(t, head, unit / 2);
  cache[row_start(row) + unit] = vec4u(
    pack4xI8(codes(fresh4(t, head, 4 * unit), scale)),
    pack4xI8(codes(fresh4(t, head, 4 * unit + 1), scale)),
    pack4xI8(codes(fresh4(t, head, 4 * unit + 2), scale)),
    pack4xI8(codes(fresh4(t, head, 4 * unit + 3), scale)),
  );
}

fn group_scale(t: u32, head: u32, group: u32) -> f32 {
  var largest = vec4f();
  for (var c = 8 * group; c < 8 * group + 8; c++) { largest = max(largest, abs(fresh4(t, head, c))); }
  return scale_of(max(max(largest.x, largest.y), max(largest.z, largest.w)));
}
