// out[t, h] = sum_j softmax_j(q[t, h] · k[j] / sqrt(d)) v[j],  p - W < j <= p, p the position of token t
// One workgroup per HEADS query heads of a key/value head, part of the visible keys, and token. BLOCK keys at
// a time. The workgroups whose part has the newest key first store it and its value: all store the same
// words.

const ROWS = HEADS;
const BLOCK = 4 * BLOCK4;
const BLOCK4 = KEYS4 * KEY_STEP;
const KEY_STEP = THREADS / LANES;  // LANES threads share the dot products of KEYS4 times 4 keys

var<workgroup> query: array<vec4f, QUERY_LENGTH>;              // [HEADS, VECTORS]
// [HEADS, BLOCK4, LANES] partial scores; at the end [HEADS, THREADS] partial out.
var<workgroup> shared4: array<vec4f, HEADS * BLOCK4 * LANES>;

@compute @workgroup_size(THREADS)
fn attention(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let own = own_keys(group);
  if (own.begin >= own.visible) { return; }
  share_queries(own, thread);

  // Values: a thread sums the columns c, c + COLUMN_STEP, … over the groups of four keys key_group,
  // key_group + KEY_GROUPS, …
  let key_group = thread / COLUMN_STEP;
  let c = thread % COLUMN_STEP;
  var sums: array<vec4f, HEADS * COLUMNS>;
  var softmax = Softmax(START, 0);

  for (var block = own.begin; block < own.end; block += BLOCK) {
    partial_scores(own.ring, block, own.end, thread);
    workgroupBarrier();
    softmax = softmax_block(thread, softmax);
    for (var i = 0u; i < HEADS * COLUMNS; i++) { sums[i] *= shrink[i / COLUMNS]; }
    if (key_group < KEY_GROUPS) {
      let step = VALUE_STEPS * KEY_GROUPS;
      for (var first4 = key_group; first4 < BLOCK4 && block + 4 * first4 < own.end; first4 += step) {
        for (var i = 0u; i < VALUE_STEPS; i++) {
          let key4 = first4 + i * KEY_GROUPS;
          var weight: array<vec4f, HEADS>;
          for (var m = 0u; m < HEADS; m++) { weight[m] = weights[m * WEIGHT_STRIDE + key4]; }
          for (var n = 0u; n < COLUMNS; n++) {
            let column = min(c + n * COLUMN_STEP, VECTORS - 1);
            let values = four_rows(own.ring.values, own.ring, block + 4 * key4, own.end, column);
            for (var m = 0u; m < HEADS; m++) { sums[m * COLUMNS + n] += values * weight[m]; }
          }
        }
      }
    }
  }

  softmax_end(thread, softmax);
  let key_groups = select(0, KEY_GROUPS, arrayLength(&out) > 0);  // hidden from the compiler: no unrolling
  for (var n = 0u; n < COLUMNS; n++) {
    for (var m = 0u; m < HEADS; m++) { shared4[m * THREADS + thread] = sums[m * COLUMNS + n]; }
    workgroupBarrier();
    for (var i = thread; i < HEADS * COLUMN_STEP; i += THREADS) {
      let m = i / COLUMN_STEP;
      let column = n * COLUMN_STEP + i % COLUMN_STEP;
      if (own.m0 + m >= M || column >= VECTORS) { continue; }
      var total = vec4f(0);
      for (var k = 0u; k < key_groups; k++) {
        total += shared4[m * THREADS + k * COLUMN_STEP + i % COLUMN_STEP];
      }
      write4(own.t, own.g * M + own.m0 + m, group.y, column, total, row_sum[m]);
    }
    workgroupBarrier();
  }
  if (thread < HEADS * PARTS && thread % PARTS == 0 && own.m0 + thread / PARTS < M) {
    let head = own.g * M + own.m0 + thread / PARTS;
    write_weight(own.t, head, group.y, softmax.max, row_sum[thread / PARTS]);
  }
}

/// q · k of all heads with the keys of a block. Lane l of a key handles the columns l, l + LANES, …
fn partial_scores(ring: Stretch, block: u32, end: u32, thread: u32) {
  let lane = thread % LANES;
  let columns = select(0, VECTORS, arrayLength(&out) > 0);  // hidden from the compiler: no unrolling
  var dots: array<vec4f, HEADS * KEYS4>;
  for (var first_c = lane; first_c < columns; first_c += SCORE_STEPS * LANES) {
    for (var i = 0u; i < SCORE_STEPS; i++) {
      let c = first_c + i * LANES;
      var q: array<vec4f, HEADS>;
      for (var m = 0u; m < HEADS; m++) { q[m] = query[m * VECTORS + c]; }
      for (var n = 0u; n < KEYS4; n++) {
        let keys = four_rows(ring.keys, ring, block + 4 * (thread / LANES + n * KEY_STEP), end, c);
        for (var m = 0u; m < HEADS; m++) { dots[m * KEYS4 + n] += q[m] * keys; }
      }
    }
  }
  for (var n = 0u; n < KEYS4; n++) {
    let key4 = thread / LANES + n * KEY_STEP;
    let hidden = (vec4u(block + 4 * key4) + vec4u(0, 1, 2, 3) >= vec4u(end)) & vec4<bool>(lane == 0);
    for (var m = 0u; m < HEADS; m++) {
      shared4[score_at(m, key4, lane)] = select(dots[m * KEYS4 + n], vec4f(NEVER), hidden);
    }
  }
}

/// Column c of four stored rows as the columns of a matrix. Past the end it repeats the last row: no other
/// slot is read.
fn four_rows(base: u32, ring: Stretch, key: u32, end: u32, c: u32) -> mat4x4f {
  return mat4x4f(
    cached4(base + slot_of(ring, min(key, end - 1)), c),
    cached4(base + slot_of(ring, min(key + 1, end - 1)), c),
    cached4(base + slot_of(ring, min(key + 2, end - 1)), c),
    cached4(base + slot_of(ring, min(key + 3, end - 1)), c),
  );
}
