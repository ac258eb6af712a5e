// weight[n, k] = q, nibbles, eight a word, the lowest first; scale[n, k / 256] = d and dmin, scales and
// minima, as super-pairs.wgsl reads them. For each group of 32 the pair of least squared error, then
// super-scales that reach the largest, then the scale and minimum of least error beside the nearest.
@group(0) @binding(6) var<storage, read_write> weight: array<u32>;   // [N, K/8]
@group(0) @binding(7) var<storage, read_write> scale: array<vec4u>;  // [N, ceil(K/256)]

const GROUP = 32u;
const BLOCK = 256u;
const HIGHEST_OFFSET = 0;
const SIX_BITS = 63;  // the largest scale and minimum
const FINER = 6u;     // d and dmin are in units of 2^-6 of those of x: they are 63 times smaller

fn write_block(n: u32, block: u32, r: u32) {
  let first = BLOCK * block;
  let exponent = max(exponent_of(r, first, min(BLOCK, columns() - first)), SMALLEST_EXPONENT + FINER);
  var pairs = array<vec2i, BLOCK / GROUP>();
  var largest = vec2i();
  for (var j = 0u; j < BLOCK / GROUP && first + GROUP * j < width(); j++) {
    let count = load_sub_group(r, first + GROUP * j, exponent);
    pairs[j] = search_pair(count, exponent) * vec2i(1, -1);
    largest = max(largest, pairs[j]);
  }

  let finer = ((largest << vec2u(FINER)) + SIX_BITS / 2) / SIX_BITS;
  let supers = vec2i(round_f16(finer.x, exponent - FINER), round_f16(finer.y, exponent - FINER));
  var words = vec4u();
  words.x = f16_bits(supers.x, exponent - FINER) | (f16_bits(supers.y, exponent - FINER) << 16);
  for (var j = 0u; j < BLOCK / GROUP && first + GROUP * j < width(); j++) {
    let k = first + GROUP * j;
    let count = load_sub_group(r, k, exponent);
    let steps = vec2u(round_pair(count, pairs[j], supers));
    let byte = (steps.x | ((steps.y >> 4) << 6)) << (8 * (j % 4));
    words |= vec4u(0, select(byte, 0, j >= 4), select(0, byte, j >= 4), (steps.y & 15) << (4 * j));
    write_codes(n, k, count, pair_at(vec2i(steps), supers));
  }
  scale[n * blocks() + block] = words;
}

// Fills x with the columns from k on that are no padding. Returns their number.
fn load_sub_group(r: u32, k: u32, exponent: u32) -> u32 {
  let count = min(GROUP, columns() - k);
  load_units(r, k, count, exponent);
  return count;
}

// Scale and minimum: of the nine neighbours of the nearest, the ones of least squared error.
fn round_pair(count: u32, pair: vec2i, supers: vec2i) -> vec2i {
  let steps = ((pair << vec2u(FINER)) + supers / 2) / max(supers, vec2i(1));
  let nearest = min(select(vec2i(), steps, supers > vec2i()), vec2i(SIX_BITS));
  var best = vec2i();
  var least = vec2u(~0u);
  for (var neighbour = 0; neighbour < 9; neighbour++) {
    let beside = nearest + vec2i(neighbour / 3, neighbour % 3) - 1;
    let next = clamp(beside, vec2i(), vec2i(SIX_BITS));
    let error = measure(pair_at(next, supers), Mean(i32(count), 0, 0)).error;
    if (less(error, least)) {
      least = error;
      best = next;
    }
  }
  return best;
}

// (a, b) of a scale and a minimum, in the units of x.
fn pair_at(steps: vec2i, supers: vec2i) -> vec2i {
  return ((steps * supers + (1 << (FINER - 1))) >> vec2u(FINER)) * vec2i(1, -1);
}
