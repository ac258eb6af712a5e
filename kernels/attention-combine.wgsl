// out[t, h] = sum_s exp(max_s - max) total_s / sum_s exp(max_s - max) sum_s,  max = max_s max_s
// (Flash-Decoding, Dao et al. 2023.)
// One workgroup per query head h and token t. Reads the parts that have keys.

override H: u32;              // query heads
override d: u32;              // head width
override W: u32;              // window
override STRIDE: u32;         // stored width of a row of out
override THREADS: u32 = 128;

@group(0) @binding(0) var<storage, read> partial: array<f32>;    // [T, H, SPLITS, 2 + d]: max, sum, total
@group(0) @binding(1) var<storage, read> rows: array<vec4u>;     // [T] id, position, …
@group(0) @binding(2) var<storage, read_write> out: array<f32>;  // [T, STRIDE] as [H, d]

var<workgroup> largest: array<f32, SPLITS>;
var<workgroup> weights: array<f32, SPLITS>;
var<workgroup> sums: array<f32, SPLITS>;

@compute @workgroup_size(THREADS)
fn attention_combine(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let first = (group.y * H + group.x) * SPLITS * (d + 2);
  let visible = min(rows[group.y].y + 1, W);
  let size = part_keys(visible);
  let parts = (visible + size - 1) / size;

  for (var part = thread; part < parts; part += THREADS) { largest[part] = partial[first + part * (d + 2)]; }
  workgroupBarrier();
  var highest = largest[0];
  for (var part = 1u; part < parts; part++) { highest = max(highest, largest[part]); }
  for (var part = thread; part < parts; part += THREADS) {
    // Exactly 1 for the largest: a single part keeps its bits.
    let weight = select(exp(largest[part] - highest), 1, largest[part] == highest);
    weights[part] = weight;
    sums[part] = weight * partial[first + part * (d + 2) + 1];
  }
  workgroupBarrier();

  for (var i = thread; i < d; i += THREADS) {
    var total = 0.0;
    var sum = 0.0;
    for (var part = 0u; part < parts; part++) {
      total = fma(weights[part], partial[first + part * (d + 2) + 2 + i], total);
      sum += sums[part];
    }
    out[group.y * STRIDE + group.x * d + i] = total / sum;
  }
}
