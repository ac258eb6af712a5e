// out[t, h] = sum_j softmax_j(q[t, h] · k[j] / sqrt(d)) v[j],  p - W < j <= p, p the position of token t
// One thread per token t and query head h, no barrier. For software drivers, in decode and in prefill.

override STORE: bool;  // decode: store the keys and values of these tokens in the ring first

@group(0) @binding(3) var<storage, read_write> out: array<f32>;  // [T, OUT_STRIDE] as [H, d]

const THREADS = 8u;  // lanes that software drivers compute at once

@compute @workgroup_size(THREADS)
fn attention_lane(@builtin(global_invocation_id) id: vec3u) {
  let h = id.x;
  let t = id.y;
  if (h >= H) { return; }
  let p = rows[t].y;
  let first = first_visible(p);
  let ring = stretch(rows[t].z, h / M, first);
  // All M heads store the same words, so that none has to wait for another.
  if (STORE) { store_newest(ring, p - first, t, h / M, 0, 1); }

  // Hidden from the compiler: lavapipe takes a minute to compile these loops if it can unroll them.
  let columns = select(0, COLUMNS, arrayLength(&out) > 0);

  var query: array<vec4f, COLUMNS>;
  for (var c = 0u; c < columns; c++) { query[c] = query4(t, h, c); }
  // Online softmax (Milakov and Gimelshein 2018): the sums are relative to the largest score so far.
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
    for (var c = 0u; c < columns; c++) {
      values[c] = values[c] * shrink + cached4(ring.values + slot, c) * weight;
    }
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
