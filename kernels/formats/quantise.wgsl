// The scale s that minimises the squared error of a group, sum_i (x_i - s q_i)^2 with q_i = round(x_i / s):
// the best of a grid of candidates, max |x| / divisor with either sign; then twice the closed form s = sum(x
// q) / sum(q^2). One thread per group, numbers as in fixed-point.wgsl. Values beyond ±2^18 are clamped.

// The writer defines CODES: codes are -CODES .. CODES - 1; divisors (FIRST_DIVISOR .. LAST_DIVISOR) /
// DIVISOR_STEPS.
const GROUP = 32u;
const LARGEST_EXPONENT = 144u;  // above it, scales overflow f16

// s, and the error that it saves, sum(x^2) - sum((x - s q)^2) = s (2 xq - s qq), as a number in two words.
struct Fit { scale: i32, saved: vec2u, xq: i32, qq: u32 }

// Leaves the codes of columns k .. k + 31 of row r in x. Returns the scale as f16 bits.
fn quantise(r: u32, k: u32) -> u32 {
  let exponent = load_group(r, k, GROUP);
  var largest = 0u;
  for (var i = 0u; i < 32; i++) { largest = max(largest, u32(abs(x[i]))); }

  // One loop and one call: drivers unroll loops that index x, and take seconds to compile several.
  let candidates = 2 * (LAST_DIVISOR - FIRST_DIVISOR + 1);
  var best = Fit();
  for (var attempt = 0u; attempt < candidates + 2; attempt++) {
    var scale = 0;
    if (attempt < candidates) {
      scale = round_scale(largest * DIVISOR_STEPS, FIRST_DIVISOR + attempt / 2, exponent);
      scale = select(scale, -scale, attempt % 2 == 1);
    } else if (best.qq > 0) {
      scale = sign(best.scale) * round_scale(u32(abs(best.xq)), best.qq, exponent);
    }
    best = better(best, measure(scale));
  }

  for (var i = 0u; i < 32; i++) { x[i] = code(x[i], best.scale); }
  return f16_bits(best.scale, exponent);
}

// numerator / denominator, as f16 can hold it.
fn round_scale(numerator: u32, denominator: u32, exponent: u32) -> i32 {
  return round_f16(i32((numerator + denominator / 2) / denominator), exponent);
}

fn measure(scale: i32) -> Fit {
  if (scale == 0) { return Fit(); }
  var xq = 0;
  var qq = 0;
  for (var i = 0u; i < 32; i++) {
    let q = code(x[i], scale);
    xq += x[i] * q;
    qq += q * q;
  }
  let s = u32(abs(scale));
  return Fit(scale, product(s, 2 * u32(abs(xq)) - s * u32(qq)), xq, u32(qq));
}

// x / scale to the nearest code, ties away from zero.
fn code(x: i32, scale: i32) -> i32 {
  if (scale == 0) { return 0; }
  // (2|x| + s) / 2s rounded down, in floats: GPUs divide integers slowly. Exact: the numerator is an integer
  // below 2^20, so adding half a unit keeps the quotient a relative 2^-21 from any integer, more than the
  // error of a float division.
  let s = abs(scale);
  let magnitude = i32((f32(2 * abs(x) + s) + 0.5) * (0.5 / f32(s)));
  return select(min(magnitude, CODES - 1), -min(magnitude, CODES), (x ^ scale) < 0);
}

// a * b as (b's upper part, lower 16 bits); a < 2^16.
fn product(a: u32, b: u32) -> vec2u {
  let low = a * (b & 0xffff);
  return vec2u(a * (b >> 16) + (low >> 16), low & 0xffff);
}

fn better(a: Fit, b: Fit) -> Fit {
  let b_wins = b.saved.x > a.saved.x || (b.saved.x == a.saved.x && b.saved.y > a.saved.y);
  if (b_wins) { return b; }
  return a;
}
