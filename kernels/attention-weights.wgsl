// out[t, h, i] = softmax_i(q[t, h] · k[first + i] / sqrt(d)),  p - W < first + i <= p, p the position of
// token t One workgroup per query head h and token t. A thread handles the positions thread, thread +
// THREADS, … throughout.

override THREADS: u32 = 64;

@group(0) @binding(3) var<storage, read_write> out: array<f32>;  // [T, H, OUT_STRIDE], up to the visible

var<workgroup> partial_max: array<f32, THREADS>;

@compute @workgroup_size(THREADS)
fn attention_weights(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let t = group.y;
  let h = group.x;
  let p = rows[t].y;
  let first = first_visible(p);
  let visible = p + 1 - first;
  let ring = stretch(rows[t].z, h / M, first);
  let row = (t * H + h) * OUT_STRIDE;

  var largest = -3.4e38;
  for (var i = thread; i < visible; i += THREADS) {
    let key = ring.keys + slot_of(ring, i);
    var score = 0.0;
    for (var c = 0u; c < VECTORS; c++) { score += dot(query4(t, h, c), cached4(key, c)); }
    out[row + i] = score;
    largest = max(largest, score);
  }

  partial_max[thread] = largest;
  workgroupBarrier();
  for (var i = 0u; i < THREADS; i++) { largest = max(largest, partial_max[i]); }

  var total = 0.0;
  for (var i = thread; i < visible; i += THREADS) {
    let weight = exp(out[row + i] - largest);
    out[row + i] = weight;
    total += weight;
  }
  let sum = workgroup_sum(total, thread);
  for (var i = thread; i < visible; i += THREADS) { out[row + i] /= sum; }
}
