// In decode attention itself puts the new token's key and value into the ring, and reads them back as all others: what
// the cache format rounds off is gone for the token itself too, as it is in prefill.

/// Stores units `first`, `first + step`, … of the key and then the value of token t, the i-th position of a stretch.
fn store_newest(ring: Stretch, i: u32, t: u32, g: u32, first: u32, step: u32) {
  let slot = slot_of(ring, i);
  let units = select(0, 2 * UNITS, arrayLength(&rows) > 0);  // unknown to the compiler, which would unroll them
  for (var n = first; n < units; n += step) {
    let is_value = n >= UNITS;
    store_unit(select(ring.keys, ring.values, is_value) + slot, n % UNITS, t, H + g + select(0, G, is_value));
  }
}
