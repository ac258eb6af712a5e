// weight[n, k] = q, nibbles, eight a word, the lowest first; scale[n, k / GROUP] = the f16 a and b of a pair.
// Columns that pad a row are no part of the search; their codes are 0.
@group(0) @binding(6) var<storage, read_write> weight: array<u32>;  // [N, K/8]
@group(0) @binding(7) var<storage, read_write> scale: array<u32>;   // [N, ceil(K/GROUP)]

fn write_block(n: u32, block: u32, r: u32) {
  let first = 64 * block;
  if (first % GROUP != 0 && GROUP > 64) { return; }  // a thread before this one has the group
  for (var k = first; k < min(first + max(GROUP, 64), width()); k += GROUP) {
    let count = min(GROUP, columns() - k);
    scale[n * ((width() + GROUP - 1) / GROUP) + k / GROUP] = quantise_pair(r, k, count);
    for (var i = 0u; i < min(GROUP, width() - k); i += 8) {
      var codes = 0u;
      for (var j = i; j < min(i + 8, count); j++) { codes |= u32(x[j]) << (4 * (j - i)); }
      weight[(n * width() + k + i) / 8] = codes;
    }
  }
}
