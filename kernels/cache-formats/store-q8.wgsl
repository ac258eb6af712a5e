// cache[row] = round(fresh / scale), scale = max |fresh| / 127 over the 32 entries of a unit.
const UNIT = 8u;      // vec4f
override UNITS: u32;  // of a row

fn store_unit(row: u32, unit: u32, t: u32, head: u32) {
  let first = unit * UNIT;
  let end = min(first + UNIT, VECTORS);
  var largest = vec4f();
  for (var c = first; c < end; c++) { largest = max(largest, abs(fresh4(t, head, c))); }
  let scale = scale_of(max(max(largest.x, largest.y), max(largest.z, largest.w)));
  let start = row_start(row);
  for (var c = first; c < end; c++) { cache[start + c] = pack4xI8(codes(fresh4(t, head, c), scale)); }
  cache[start + VECTORS + unit] = bitcast<u32>(scale);
}
