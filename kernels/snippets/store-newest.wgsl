// In decode, attention itself stores the new token's key and value in the ring and reads them back like all
// others: the token sees its own key as the cache format rounds it, as in prefill.

/// Stores units `first`, `first + step`, … of the key, then the value, of token t, position i of a stretch.
fn store_newest(ring: Stretch, i: u32, t: u32, g: u32, first: u32, step: u32) {
  let slot = slot_of(ring, i);
  let units = select(0, 2 * UNITS, arrayLength(&rows) > 0);  // hidden from the compiler: no unrolling
  for (var n = first; n < units; n += step) {
    let is_value = n >= UNITS;
    store_unit(select(ring.keys, ring.values, is_value) + slot, n % UNITS, t, H + g + select(0, G, is_value));
  }
}
