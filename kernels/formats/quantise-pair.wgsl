// The pair (a, b) that minimises the squared error of a group, sum_i (x_i - a q_i - b)^2 with q_i =
// round((x_i - b) / a), 0 .. 15: the best of a grid of ranges around the middle of the group, a = (max x -
// min x) / divisor, and of the closed form for the codes of each; then the closed form for the best codes,
// four times. One thread per group, numbers as in fixed-point.wgsl. Values beyond ±65504 are clamped. The
// writer defines HIGHEST_OFFSET, the most that b may be.
const LARGEST_EXPONENT = 142u;   // above it, offsets overflow f16
const FIRST_DIVISOR = 14u;       // ranges tried: a = (max x - min x) / 14, … / 20
const LAST_DIVISOR = 20u;
const REFINEMENTS = 4u;
const LARGEST_RESIDUAL = 65535;

// A pair, the sum of its squared errors in two words, and sums over its codes. y = x - mean.
struct Pair { a: i32, b: i32, error: vec2u, q: i32, qq: i32, yq: i32 }

// The mean of a group, and the sum of x - mean.
struct Mean { count: i32, mean: i32, rest: i32 }

// The pair for x[0 .. count - 1].
fn search_pair(count: u32, exponent: u32) -> vec2i {
  var low = min(x[0], HIGHEST_OFFSET);
  var high = x[0];
  var sum = 0;
  for (var i = 0u; i < count; i++) {
    low = min(low, x[i]);
    high = max(high, x[i]);
    sum += x[i];
  }
  let n = i32(count);
  let mean = Mean(n, sum / n, sum % n);

  // One loop and one call: drivers take seconds to compile several.
  let candidates = 2 * (LAST_DIVISOR - FIRST_DIVISOR + 1);
  var best = Pair();
  var last = Pair();
  for (var attempt = 0u; attempt < candidates + REFINEMENTS; attempt++) {
    var next = vec2i();
    if (attempt >= candidates) {
      next = closed_form(best, mean, exponent);
    } else if (attempt % 2 == 1) {
      next = closed_form(last, mean, exponent);
    } else {
      let divisor = i32(FIRST_DIVISOR + attempt / 2);
      let a = round_f16((high - low + divisor / 2) / divisor, exponent);
      next = vec2i(a, round_f16((low + high - 15 * a) / 2, exponent));
    }
    last = measure(vec2i(next.x, min(next.y, HIGHEST_OFFSET)), mean);
    if (attempt == 0 || less(last.error, best.error)) { best = last; }
  }

  return vec2i(best.a, best.b);
}

fn less(a: vec2u, b: vec2u) -> bool { return a.x < b.x || (a.x == b.x && a.y < b.y); }

// The pair of least squared error for codes with these sums.
fn closed_form(codes: Pair, mean: Mean, exponent: u32) -> vec2i {
  let n = mean.count;
  let spread = n * codes.qq - codes.q * codes.q;
  let product = max(codes.yq - codes.q * mean.rest / n, 0);  // n times it, over spread, is a
  var a = 0;
  if (spread > 0) {
    a = round_f16(product / spread * n + (product % spread * n + spread / 2) / spread, exponent);
  }
  return vec2i(a, round_f16(mean.mean + (mean.rest - a * codes.q) / n, exponent));
}

fn measure(pair: vec2i, mean: Mean) -> Pair {
  var sums = Pair(pair.x, pair.y, vec2u(), 0, 0, 0);
  for (var i = 0; i < mean.count; i++) {
    let q = code(x[i], pair.x, pair.y);
    let residual = u32(min(abs(x[i] - pair.y - pair.x * q), LARGEST_RESIDUAL));
    let squared = residual * residual;
    sums.error += vec2u(squared >> 16, squared & 0xffff);
    sums.q += q;
    sums.qq += q * q;
    sums.yq += (x[i] - mean.mean) * q;
  }
  sums.error = vec2u(sums.error.x + (sums.error.y >> 16), sums.error.y & 0xffff);
  return sums;
}

// (x - b) / a to the nearest code, ties up.
fn code(x: i32, a: i32, b: i32) -> i32 {
  let numerator = 2 * (x - b) + a;
  if (a == 0 || numerator <= 0) { return 0; }
  // In floats, GPUs divide integers slowly; then what their rounding may have missed.
  let q = min(i32(f32(numerator) * (0.5 / f32(a))), 15);
  if (q * 2 * a > numerator) { return q - 1; }
  return min(select(q, q + 1, (q + 1) * 2 * a <= numerator), 15);
}
