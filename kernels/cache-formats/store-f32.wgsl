// cache[row] = fresh. A unit is four entries.
override UNITS: u32;  // of a row

fn store_unit(row: u32, unit: u32, t: u32, head: u32) { cache[row * VECTORS + unit] = fresh4(t, head, unit); }
