// Top-k and top-p are one search: the smallest distance within which the tokens weigh `target` together. Every token
// weighs 1 in top-k, its mass in top-p. Radix descent: the histogram of eight bits of the distance, one bin a thread,
// says which bin the target falls in, and the next eight bits are counted inside that bin only.
// A pass over V for each eight bits, at most four. Masses have 28 bits and are added in two halves of 14, so that no
// sum of 2^18 of them leaves 32 bits; integer sums are exact in any order.
// Needs THREADS = 256, STRIDE and distances(at, best, scale) from the kernel, snippets/octaves.wgsl, wide-integer.wgsl.

struct Bin { index: u32, weight: vec2u, before: vec2u }
const NO_BIN: u32 = 0xffffffffu;

var<workgroup> low_half: array<atomic<u32>, THREADS>;
var<workgroup> high_half: array<atomic<u32>, THREADS>;
var<workgroup> bin_weight: array<vec2u, THREADS>;
var<workgroup> block_sum: array<vec2u, 17>;
var<workgroup> found: Bin;

// The farthest distance to keep, at most `limit`. `wanted`: a count of tokens, or in units of 2^-32 a share of the
// mass of the tokens within `limit`. All threads must call it, with the same arguments.
fn nearest(row: u32, best: f32, scale: f32, limit: u32, wanted: u32, by_mass: bool, thread: u32) -> u32 {
  var target_weight = vec2u(wanted, 0);
  var prefix = 0u;
  for (var level = 0u; level < 4; level++) {
    let shift = 24 - 8 * level;
    atomicStore(&low_half[thread], 0u);
    atomicStore(&high_half[thread], 0u);
    if (thread == 0) { found.index = NO_BIN; }
    workgroupBarrier();
    for (var i = thread; i < STRIDE / 4; i += THREADS) {
      var far = distances(row + i, best, scale);
      for (var c = 0u; c < 4; c++) {
        if (far.x <= limit && (((far.x ^ prefix) >> shift) >> 8u) == 0) {
          var weight = 1u;
          if (by_mass) { weight = mass(far.x); }
          let digit = (far.x >> shift) & 255;
          if ((weight & 0x3fff) != 0) { atomicAdd(&low_half[digit], weight & 0x3fff); }
          if ((weight >> 14u) != 0) { atomicAdd(&high_half[digit], weight >> 14u); }
        }
        far = far.yzwx;
      }
    }
    workgroupBarrier();
    let high = atomicLoad(&high_half[thread]);
    let weight = wide_sum(vec2u(high << 14u, high >> 18u), vec2u(atomicLoad(&low_half[thread]), 0));
    let before = sum_before(weight, thread);
    if (by_mass && level == 0) { target_weight = share(workgroupUniformLoad(&block_sum[16]), wanted); }
    if (!wide_less(wide_sum(before, weight), target_weight) && wide_less(before, target_weight)) {
      found = Bin(thread, weight, before);
    }
    let bin = workgroupUniformLoad(&found);
    if (bin.index == NO_BIN) { return limit; }
    prefix |= bin.index << shift;
    target_weight = wide_difference(target_weight, bin.before);
    let end = min(limit, prefix | ((1u << shift) - 1));
    // Done when the bin is wanted whole: not even its lightest token could be spared.
    var lightest = 1u;
    if (by_mass) { lightest = mass(end); }
    if (wide_less(wide_difference(bin.weight, vec2u(lightest, 0)), target_weight)) { return end; }
  }
  return prefix;
}

// The sum over the threads before this one, by blocks of 16 threads; leaves the sum over all in block_sum[16].
fn sum_before(value: vec2u, thread: u32) -> vec2u {
  bin_weight[thread] = value;
  workgroupBarrier();
  if (thread < 16) {
    var sum = vec2u(0);
    for (var i = 16 * thread; i < 16 * thread + 16; i++) { sum = wide_sum(sum, bin_weight[i]); }
    block_sum[thread] = sum;
  }
  workgroupBarrier();
  var before = vec2u(0);
  for (var i = 0u; i < thread / 16; i++) { before = wide_sum(before, block_sum[i]); }
  for (var i = thread & ~15u; i < thread; i++) { before = wide_sum(before, bin_weight[i]); }
  if (thread == THREADS - 1) { block_sum[16] = wide_sum(before, value); }
  return before;
}

// total * part / 2^32, rounded down, at least 1.
fn share(total: vec2u, part: u32) -> vec2u {
  let product = wide_sum(wide_product(total.y, part), vec2u(high_product(total.x, part), 0));
  return select(product, vec2u(1, 0), all(product == vec2u(0)));
}
