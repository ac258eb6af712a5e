// cache[row] = round(fresh / scale), scale = max |fresh| / 127 over the 32 entries of a unit.
const UNIT = 8u;                                    // vec4f
override UNITS: u32 = (VECTORS + UNIT - 1) / UNIT;  // of a row

fn store_unit(row: u32, unit: u32, t: u32, head: u32) {
  let first = unit * UNIT;
  let end = min(first + UNIT, VECTORS);
  var most = vec4f();
  for (var c = first; c < end; c++) { most = max(most, abs(fresh4(t, head, c))); }
  let scale = scale_of(max(max(most.x, most.y), max(most.z, most.w)));
  for (var c = first; c < end; c++) { cache[row * ROW + c] = pack4xI8(codes(fresh4(t, head, c), scale)); }
  cache[row * ROW + VECTORS + unit] = bitcast<u32>(scale);
}

/// largest / 127 in 16 significant bits, so that a scale times a code and a half is exact; never 0, so that zeros divide.
fn scale_of(largest: f32) -> f32 {
  return bitcast<f32>((bitcast<u32>(max(largest * (1.0 / 127), 1e-30)) + 0x80) & 0xffffff00);
}

/// To the nearest code, ties away from zero. WGSL's division may be off in the last places, which tells next to a tie:
/// comparing with the exact products puts it right.
fn codes(four: vec4f, scale: f32) -> vec4i {
  let size = abs(four);
  let near = floor(size / scale + 0.5);
  let above = select(vec4f(), vec4f(1), (near + 0.5) * scale <= size);
  let below = select(vec4f(), vec4f(1), (near - 0.5) * scale > size);
  return vec4i(sign(four) * min(near + above - below, vec4f(127)));
}
