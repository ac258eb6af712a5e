// out[t, h] = sum_s exp(max_s - max) total_s / sum_s exp(max_s - max) sum_s,  max = max_s max_s
// (Flash-Decoding, Dao et al. 2023.)
// One workgroup per query head h and token t.

override H: u32;              // query heads
override d: u32;              // head width
override SPLITS: u32;         // parts that the keys of a head were split into
override STRIDE: u32;         // stored width of a row of out
override THREADS: u32 = 64;

@group(0) @binding(0) var<storage, read> partial: array<f32>;    // [T, H, SPLITS, 2 + d]: max, sum, total
@group(0) @binding(1) var<storage, read_write> out: array<f32>;  // [T, STRIDE] as [H, d]

@compute @workgroup_size(THREADS)
fn attention_combine(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let first = (group.y * H + group.x) * SPLITS * (d + 2);
  let end = first + SPLITS * (d + 2);

  var highest = partial[first];
  for (var at = first; at < end; at += d + 2) { highest = max(highest, partial[at]); }

  for (var i = thread; i < d; i += THREADS) {
    var total = 0.0;
    var sum = 0.0;
    for (var at = first; at < end; at += d + 2) {
      let weight = exp(partial[at] - highest);
      total += weight * partial[at + 2 + i];
      sum += weight * partial[at + 1];
    }
    out[group.y * STRIDE + group.x * d + i] = total / sum;
  }
}
