// A group of weights in integers: every driver finds the same scale. x is in units of 2^-17 of the power of
// two below max |x|; unit = 2^(exponent - 127 - 17). NaN and infinities count as 0. The search defines GROUP
// and LARGEST_EXPONENT.
const LARGEST = 1u << 18;        // |x|
const SMALLEST_EXPONENT = 106u;  // below it, the smallest f16 is coarser than any scale

var<private> x: array<i32, GROUP>;

// Fills x with `count` columns of row r from k on. Returns the exponent.
fn load_group(r: u32, k: u32, count: u32) -> u32 {
  let exponent = exponent_of(r, k, count);
  load_units(r, k, count, exponent);
  return exponent;
}

fn exponent_of(r: u32, k: u32, count: u32) -> u32 {
  var exponent = SMALLEST_EXPONENT;
  for (var i = 0u; i < count; i++) {
    let own = (value(r, k + i) >> 23) & 255;
    exponent = max(exponent, select(own, 0, own == 255));
  }
  return min(exponent, LARGEST_EXPONENT);
}

fn load_units(r: u32, k: u32, count: u32, exponent: u32) {
  for (var i = 0u; i < count; i++) { x[i] = fixed_point(value(r, k + i), exponent); }
}

// The f32 of these bits in units, to nearest.
fn fixed_point(bits: u32, exponent: u32) -> i32 {
  let own = max((bits >> 23) & 255, 1);
  if (own == 255) { return 0; }
  let mantissa = (bits & 0x7fffff) | select(0x800000u, 0, (bits & 0x7f800000) == 0);
  let shift = min(exponent + 6 - min(own, exponent), 31);
  let magnitude = select((mantissa + (1u << (shift - 1))) >> shift, LARGEST, own > exponent);
  return select(i32(magnitude), -i32(magnitude), (bits >> 31) == 1);
}

// A number of units rounded to the 11 bits of an f16 or to its smallest step, at most 65504.
fn round_f16(units: i32, exponent: u32) -> i32 {
  let magnitude = u32(abs(units));
  let leading = 31 - countLeadingZeros(magnitude | 1);
  let dropped = max(max(leading, 10) - 10, max(120, exponent) - exponent);
  let rounded = ((magnitude + (1u << dropped) / 2) >> dropped) << dropped;
  return sign(units) * i32(min(rounded, 65504u << min(144 - exponent, 3)));
}

// A number of units that round_f16 gave, as f16 bits.
fn f16_bits(units: i32, exponent: u32) -> u32 {
  if (units == 0) { return 0; }
  let sign = select(0u, 0x8000, units < 0);
  let magnitude = u32(abs(units));
  let leading = firstLeadingBit(magnitude);
  if (leading + exponent <= 129) {  // subnormal
    return sign | ((magnitude << (max(exponent, 120) - 120)) >> (max(exponent, 120) - exponent));
  }
  return sign | ((leading + exponent - 129) << 10) | (((magnitude << 10) >> leading) & 0x3ff);
}
