// Top-k and top-p are one search: the smallest distance within which the tokens together weigh `wanted`. A
// token weighs 1 in top-k, its mass in top-p. Radix descent: a histogram of eight bits of the distance, one
// bin per thread, shows which bin the target is in; the next pass counts the next eight bits inside that bin
// only. One pass over V for every eight bits, at most four. Masses have 28 bits and are added in two halves
// of 14: a sum of 2^18 of them fits 32 bits. Integer sums are exact in any order.
// Uses snippets/octaves.wgsl and wide-integer.wgsl; of the kernel THREADS = 256, STRIDE, distances(at, best,
// scale).

struct Step { prefix: u32, rest: vec2u, done: bool }

var<workgroup> low_half: array<atomic<u32>, THREADS>;
var<workgroup> high_half: array<atomic<u32>, THREADS>;
var<workgroup> block_sum: array<vec2u, 16>;
var<workgroup> found: Step;

// The farthest distance to keep, at most `limit`. `wanted`: a count of tokens, or in units of 2^-32 a share
// of the mass of the tokens within `limit`. All threads must call it with the same arguments.
fn nearest(row: u32, best: f32, scale: f32, limit: u32, wanted: u32, by_mass: bool, thread: u32) -> u32 {
  var target_weight = vec2u(wanted, 0);
  var prefix = 0u;
  for (var shift = 24u; ; shift -= 8) {
    atomicStore(&low_half[thread], 0u);
    atomicStore(&high_half[thread], 0u);
    if (thread == 0) { found = Step(limit, vec2u(0), true); }  // if all bins weigh less than the target
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
    if (thread < 16) { block_sum[thread] = sum_of_bins(16 * thread, 16 * thread + 16); }
    workgroupBarrier();
    var before = vec2u(0);
    var total = vec2u(0);
    for (var block = 0u; block < 16; block++) {
      if (block == thread / 16) { before = total; }
      total = wide_sum(total, block_sum[block]);
    }
    before = wide_sum(before, sum_of_bins(thread & ~15u, thread));
    let weight = sum_of_bins(thread, thread + 1);
    if (by_mass && shift == 24) { target_weight = share(total, wanted); }
    if (!wide_less(wide_sum(before, weight), target_weight) && wide_less(before, target_weight)) {
      let bin = prefix | (thread << shift);
      let end = min(limit, bin | ((1u << shift) - 1));
      let rest = wide_difference(target_weight, before);
      // Done if the whole bin is wanted: without its lightest token it would weigh too little.
      var lightest = 1u;
      if (by_mass) { lightest = mass(end); }
      let whole = wide_less(wide_difference(weight, vec2u(lightest, 0)), rest);
      found = Step(select(bin, end, whole), rest, whole || shift == 0);
    }
    let step = workgroupUniformLoad(&found);
    prefix = step.prefix;
    if (step.done) { break; }
    target_weight = step.rest;
  }
  return prefix;
}

// The weight of the bins [start, end).
fn sum_of_bins(start: u32, end: u32) -> vec2u {
  var sum = vec2u(0);
  for (var i = start; i < end; i++) {
    let high = atomicLoad(&high_half[i]);
    sum = wide_sum(sum, wide_sum(vec2u(high << 14u, high >> 18u), vec2u(atomicLoad(&low_half[i]), 0)));
  }
  return sum;
}

// total * part / 2^32, rounded down, at least 1.
fn share(total: vec2u, part: u32) -> vec2u {
  let product = wide_sum(wide_product(total.y, part), vec2u(high_product(total.x, part), 0));
  return select(product, vec2u(1, 0), all(product == vec2u(0)));
}
