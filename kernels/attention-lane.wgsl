// out[t, h] = sum_j softmax_j(q[t, h] · k[j] / sqrt(d)) v[j]   over the positions j in (p - W, p], p the position of t
// One thread per token t and query head h, with no barrier: for software drivers, in decode and in prefill alike.

override STORE: bool;  // decode: the keys and values of these tokens are not in the ring yet

@group(0) @binding(3) var<storage, read_write> out: array<f32>;  // [T, OUT_STRIDE] as [H, d]

const THREADS = 8u;  // what software drivers compute at once

@compute @workgroup_size(THREADS)
fn attention_lane(@builtin(global_invocation_id) id: vec3u) {
  let h = id.x;
  let t = id.y;
  if (h >= H) { return; }
  let p = rows[t].y;
  let first = first_visible(p);
  let ring = stretch(rows[t].z, h / M, first);
  // Each of the M heads, so that none waits for another: they store the same words.
  if (STORE) { store_newest(ring, p - first, t, h / M, 0, 1); }

  // Not known to the compiler: lavapipe takes a minute over these loops where it can unroll them.
  let columns = select(0, COLUMNS, arrayLength(&out) > 0);

  var query: array<vec4f, COLUMNS>;
  for (var c = 0u; c < columns; c++) { query[c] = query4(t, h, c); }
  // Online softmax (Milakov and Gimelshein 2018): sums are relative to the largest score so far.
  var largest = -1e30;
  var sum = 0.0;
  var values: array<vec4f, COLUMNS>;
  for (var i = 0u; i <= p - first; i++) {
    let slot = slot_of(ring, i);
    var score = 0.0;
    for (var c = 0u; c < columns; c++) { score += dot(query[c], cached4(ring.keys + slot, c)); }
    let before = largest;
    largest = max(largest, score);
    let shrink = exp(before - largest);
    let weight = exp(score - largest);
    sum = sum * shrink + weight;
    for (var c = 0u; c < columns; c++) { values[c] = values[c] * shrink + cached4(ring.values + slot, c) * weight; }
  }

  let at = t * OUT_STRIDE + h * d;
  for (var c = 0u; c < columns; c++) {
    let attended = values[c] / sum;
    out[at + 4 * c] = attended.x;
    out[at + 4 * c + 1] = attended.y;
    if (4 * c + 2 < d) {
      out[at + 4 * c + 2] = attended.z;
      out[at + 4 * c + 3] = attended.w;
    }
  }
}
