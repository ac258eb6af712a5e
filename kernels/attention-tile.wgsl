// out[t, h] = sum_j softmax_j(q[t, h] · k[j] / sqrt(d)) v[j],  p - W < j <= p, p the position of token t
// One workgroup per key/value head and ROWS query rows r = t * M + m, which share its keys. BLOCK keys at a
// time.

@group(0) @binding(3) var<storage, read_write> out: array<f32>;  // [T, OUT_STRIDE] as [H, d]

const BLOCK = 4 * BLOCK4;
const BLOCK4 = 16u;
const CHUNK = 4u;                                      // columns staged at a time, in vec4f
const ROW_GROUPS = THREADS / BLOCK4;                   // scores: a thread has 4 keys, every ROW_GROUPS-th row
const SCORE_ROWS = (ROWS + ROW_GROUPS - 1) / ROW_GROUPS;
const ROW_STEP = ROWS + 1;                             // odd, so that columns are in different banks
const KEY_STEP = BLOCK + 1;

var<workgroup> staged_rows: array<vec4f, CHUNK * ROW_STEP>;  // [CHUNK, ROWS]
var<workgroup> staged_keys: array<vec4f, CHUNK * KEY_STEP>;  // [CHUNK, 4, BLOCK4]: keys 0, 4, 8, … first

@compute @workgroup_size(THREADS)
fn attention_tile(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let g = group.y;
  let start = rows[0];
  let row_count = start.w * M;
  let row0 = group.x * ROWS;
  if (row0 >= row_count) { return; }
  let last_row = row_count - 1;  // rows past the end repeat it and are not written
  let first = first_visible(start.y + row0 / M);
  let last = start.y + min(row0 + ROWS - 1, last_row) / M;
  let ring = stretch(start.z, g, first);

  // Values: a thread sums column c for VALUE_ROWS rows.
  let c = thread % VECTORS;
  let value_row = thread / VECTORS * VALUE_ROWS;
  var sums: array<vec4f, VALUE_ROWS>;
  var softmax = Softmax(START, 0);

  // Blocks start at multiples of BLOCK, wherever the tile starts: sums have the same order in chunks of any
  // length.
  for (var block = first / BLOCK * BLOCK; block <= last; block += BLOCK) {
    var dots = array<vec4f, SCORE_ROWS>();  // explicit: Dawn zeroes a bare `var` in a loop only once
    for (var column = 0u; column < VECTORS; column += CHUNK) {
      workgroupBarrier();
      for (var i = thread; i < CHUNK * ROWS; i += THREADS) {
        let r = min(row0 + i / CHUNK, last_row);
        if (column + i % CHUNK < VECTORS) {
          staged_rows[i % CHUNK * ROW_STEP + i / CHUNK] = query4(r / M, g * M + r % M, column + i % CHUNK);
        }
      }
      for (var i = thread; i < CHUNK * BLOCK; i += THREADS) {
        let key = i / CHUNK;
        if (column + i % CHUNK < VECTORS) {
          let slot = slot_of(ring, clamp(block + key, first, last) - first);
          let at = i % CHUNK * KEY_STEP + key % 4 * BLOCK4 + key / 4;
          staged_keys[at] = cached4(ring.keys + slot, column + i % CHUNK);
        }
      }
      workgroupBarrier();
      for (var i = 0u; i < min(CHUNK, VECTORS - column); i++) {
        let at = i * KEY_STEP + thread % BLOCK4;
        let keys = mat4x4f(
          staged_keys[at],
          staged_keys[at + BLOCK4],
          staged_keys[at + 2 * BLOCK4],
          staged_keys[at + 3 * BLOCK4],
        );
        for (var n = 0u; n < SCORE_ROWS; n++) {
          dots[n] += staged_rows[i * ROW_STEP + min(thread / BLOCK4 + n * ROW_GROUPS, ROWS - 1)] * keys;
        }
      }
    }
    let key = vec4u(block + 4 * (thread % BLOCK4)) + vec4u(0, 1, 2, 3);
    for (var n = 0u; n < SCORE_ROWS; n++) {
      let row = thread / BLOCK4 + n * ROW_GROUPS;
      let p = vec4u(start.y + min(row0 + row, last_row) / M);
      let seen = (key <= p) & (p - key < vec4u(W));
      if (row < ROWS) {
        weights[row * WEIGHT_STRIDE + thread % BLOCK4] = select(vec4f(NEVER), dots[n], seen);
      }
    }
    workgroupBarrier();
    softmax = softmax_block(thread, softmax);

    if (value_row < ROWS) {
      for (var n = 0u; n < VALUE_ROWS; n++) { sums[n] *= shrink[min(value_row + n, ROWS - 1)]; }
      for (var key4 = 0u; key4 < BLOCK4 && block + 4 * key4 <= last; key4++) {
        let values = four_values(ring, vec4u(block + 4 * key4) + vec4u(0, 1, 2, 3), first, last, c);
        for (var n = 0u; n < VALUE_ROWS; n++) {
          sums[n] += values * weights[min(value_row + n, ROWS - 1) * WEIGHT_STRIDE + key4];
        }
      }
    }
  }

  softmax_end(thread, softmax);
  for (var n = 0u; n < VALUE_ROWS; n++) {
    let row = value_row + n;
    let r = row0 + row;
    if (row >= ROWS || r >= row_count) { break; }
    let attended = sums[n] / row_sum[row];
    let at = r / M * OUT_STRIDE + (g * M + r % M) * d + 4 * c;
    out[at] = attended.x;
    out[at + 1] = attended.y;
    if (4 * c + 2 < d) {
      out[at + 2] = attended.z;
      out[at + 3] = attended.w;
    }
  }
}

fn scores4(row: u32, key4: u32) -> vec4f { return weights[row * WEIGHT_STRIDE + key4]; }

/// Column c of the values of four positions as the columns of a matrix. Hidden ones weigh 0, and are read
/// inside [first, last].
fn four_values(ring: Stretch, key: vec4u, first: u32, last: u32, c: u32) -> mat4x4f {
  let i = clamp(key, vec4u(first), vec4u(last)) - first;
  return mat4x4f(
    cached4(ring.values + slot_of(ring, i.x), c),
    cached4(ring.values + slot_of(ring, i.y), c),
    cached4(ring.values + slot_of(ring, i.z), c),
    cached4(ring.values + slot_of(ring, i.w), c),
  );
}
