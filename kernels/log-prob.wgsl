// out[t] = logits[t, ids[t]] - log(sum_i exp(logits[t, i]))
// One workgroup per row t. One pass: each thread keeps its largest logit and the sum of exponentials relative
// to it (online softmax, Milakov and Gimelshein 2018).

override V: u32;              // vocabulary
override STRIDE: u32;         // stored width of a row, V rounded up to a multiple of 32
override THREADS: u32 = 256;

@group(0) @binding(0) var<storage, read> logits: array<vec4f>;   // [T, STRIDE]
@group(0) @binding(1) var<storage, read> ids: array<u32>;        // [T]; an id outside the vocabulary gives 0
@group(0) @binding(2) var<storage, read_write> out: array<f32>;  // [T], natural logarithm

var<workgroup> partial_max: array<f32, THREADS>;

const LOWEST = -3.4e38f;

@compute @workgroup_size(THREADS)
fn log_prob(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let t = group.x;
  let row = t * (STRIDE / 4);
  let id = ids[t];
  if (id >= V) {
    if (thread == 0) { out[t] = 0; }
    return;
  }

  var best = LOWEST;
  var total = 0.0;
  for (var i = thread; i < (V + 3) / 4; i += THREADS) {
    let inside = 4 * i + vec4u(0, 1, 2, 3) < vec4u(V);
    let x = select(vec4f(LOWEST), max(logits[row + i], vec4f(LOWEST)), inside);
    let new_best = max(best, max(max(x.x, x.y), max(x.z, x.w)));
    total = total * exp(best - new_best) + dot(select(vec4f(0), exp(x - new_best), inside), vec4f(1));
    best = new_best;
  }

  partial_max[thread] = best;
  workgroupBarrier();
  for (var half = THREADS / 2; half > 0; half /= 2) {
    if (thread < half) { partial_max[thread] = max(partial_max[thread], partial_max[thread + half]); }
    workgroupBarrier();
  }
  let row_best = partial_max[0];
  let row_total = workgroup_sum(total * exp(best - row_best), thread);
  if (thread == 0) { out[t] = (logits[row + id / 4][id % 4] - row_best) - log(row_total); }
}
