// out[t, h] = sum_j softmax_j(q[t, h] · k[j] / sqrt(d)) v[j],  p - W < j <= p, p the position of token t
// One workgroup per HEADS query heads of a key/value head, part of the visible keys, and token. Its TEAMS
// teams take blocks of BLOCK keys in turn, each with a largest score and sums of its own, which are merged at
// the end. The workgroups whose part has the newest key first store it and its value: all store the same
// words.

const TEAM = THREADS / TEAMS;    // threads of a team, a subgroup of most GPUs
const ROWS = TEAMS * HEADS;      // of the softmax: the heads of each team
const BLOCK = 4 * BLOCK4;
const BLOCK4 = TEAM / LANES;     // LANES threads share the dot products of four keys

var<workgroup> query: array<vec4f, QUERY_LENGTH>;        // [HEADS, VECTORS]
// [ROWS, BLOCK4, LANES] partial scores; at the end [HEADS, THREADS] partial out.
var<workgroup> shared4: array<vec4f, HEADS * THREADS>;
var<workgroup> row_max: array<f32, ROWS>;
// What the sums of a row are multiplied by at the end: they are relative to its own largest score.
var<workgroup> shares: array<f32, ROWS>;

@compute @workgroup_size(THREADS)
fn attention_teams(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let own = own_keys(group);
  if (own.begin >= own.visible) { return; }
  share_queries(own, thread);

  // Values: a thread sums the chunks column, column + COLUMN_STEP, … over the groups of four keys key_group,
  // key_group + KEY_GROUPS, … of its team's blocks.
  let team = thread / TEAM;
  let key_group = thread % TEAM / COLUMN_STEP;
  let column = thread % TEAM % COLUMN_STEP;
  let key_groups = select(0, KEY_GROUPS, arrayLength(&out) > 0);  // hidden from the compiler: no unrolling
  var sums: array<vec4f, HEADS * COLUMNS * CHUNK>;
  var softmax = Softmax(START, 0);

  for (var round = own.begin; round < own.end; round += TEAMS * BLOCK) {
    let block = round + team * BLOCK;
    partial_scores(own.ring, block, own.end, team, thread % TEAM);
    workgroupBarrier();
    softmax = softmax_block(thread, softmax);
    for (var i = 0u; i < HEADS * COLUMNS * CHUNK; i++) {
      sums[i] *= shrink[team * HEADS + i / (COLUMNS * CHUNK)];
    }
    if (key_group < KEY_GROUPS && block < own.end) {
      for (var key4 = key_group; key4 < BLOCK4; key4 += key_groups) {
        var weight: array<vec4f, HEADS>;
        for (var m = 0u; m < HEADS; m++) { weight[m] = weights[(team * HEADS + m) * WEIGHT_STRIDE + key4]; }
        for (var n = 0u; n < COLUMNS; n++) {
          let c = min(column + n * COLUMN_STEP, CHUNKS - 1);
          let four = four_rows(own.ring.values, own.ring, block + 4 * key4, own.end, c);
          for (var i = 0u; i < CHUNK; i++) {
            let values = array(
              entries(four.a, i),
              entries(four.b, i),
              entries(four.c, i),
              entries(four.d, i),
            );
            for (var m = 0u; m < HEADS; m++) {
              let at = (m * COLUMNS + n) * CHUNK + i;
              var sum = fma(values[0], vec4f(weight[m].x), sums[at]);
              sum = fma(values[1], vec4f(weight[m].y), sum);
              sum = fma(values[2], vec4f(weight[m].z), sum);
              sums[at] = fma(values[3], vec4f(weight[m].w), sum);
            }
          }
        }
      }
    }
  }

  if (thread < ROWS * PARTS && thread % PARTS == 0) { row_max[thread / PARTS] = softmax.max; }
  softmax_end(thread, softmax);
  if (thread < ROWS) { shares[thread] = exp(row_max[thread] - largest_of(thread % HEADS)); }
  workgroupBarrier();
  for (var n = 0u; n < COLUMNS; n++) {
    for (var i = 0u; i < CHUNK; i++) {
      for (var m = 0u; m < HEADS; m++) {
        shared4[m * THREADS + thread] = sums[(m * COLUMNS + n) * CHUNK + i] * shares[team * HEADS + m];
      }
      workgroupBarrier();
      for (var k = thread; k < HEADS * COLUMN_STEP; k += THREADS) {
        let m = k / COLUMN_STEP;
        let c = n * COLUMN_STEP + k % COLUMN_STEP;
        if (own.m0 + m >= M || c >= CHUNKS) { continue; }
        var total = vec4f(0);
        for (var other = 0u; other < TEAMS * key_groups; other++) {
          let first_of = other / KEY_GROUPS * TEAM + other % KEY_GROUPS * COLUMN_STEP;
          total += shared4[m * THREADS + first_of + k % COLUMN_STEP];
        }
        write4(own.t, own.g * M + own.m0 + m, group.y, c * CHUNK + i, total, sum_of(m));
      }
      workgroupBarrier();
    }
  }
  if (thread < HEADS && own.m0 + thread < M) {
    write_weight(own.t, own.g * M + own.m0 + thread, group.y, largest_of(thread), sum_of(thread));
  }
}

/// The largest score of a head.
fn largest_of(m: u32) -> f32 {
  var largest = row_max[m];
  for (var team = 1u; team < TEAMS; team++) { largest = max(largest, row_max[team * HEADS + m]); }
  return largest;
}

/// The sum of the weights of a head.
fn sum_of(m: u32) -> f32 {
  var sum = 0.0;
  for (var row = m; row < ROWS; row += HEADS) { sum = fma(row_sum[row], shares[row], sum); }
  return sum;
}

/// q · k of all heads with the keys of a team's block. Lane l of a key handles the chunks l, l + LANES, …
fn partial_scores(ring: Stretch, block: u32, end: u32, team: u32, thread: u32) {
  let lane = thread % LANES;
  let key4 = thread / LANES;
  let chunks = select(0, CHUNKS, arrayLength(&out) > 0 && block < end);  // hidden from the compiler
  var dots: array<vec4f, HEADS>;
  for (var c = lane; c < chunks; c += LANES) {
    let four = four_rows(ring.keys, ring, block + 4 * key4, end, c);
    for (var i = 0u; i < CHUNK; i++) {
      for (var m = 0u; m < HEADS; m++) {
        let q = query[m * VECTORS + c * CHUNK + i];
        dots[m] = vec4f(
          add_dot(q, entries(four.a, i), dots[m].x),
          add_dot(q, entries(four.b, i), dots[m].y),
          add_dot(q, entries(four.c, i), dots[m].z),
          add_dot(q, entries(four.d, i), dots[m].w),
        );
      }
    }
  }
  let hidden = (vec4u(block + 4 * key4) + vec4u(0, 1, 2, 3) >= vec4u(end)) & vec4<bool>(lane == 0);
  for (var m = 0u; m < HEADS; m++) {
    shared4[score_at(team * HEADS + m, key4, lane)] = select(dots[m], vec4f(NEVER), hidden);
  }
}

fn add_dot(a: vec4f, b: vec4f, sum: f32) -> f32 {
  return fma(a.w, b.w, fma(a.z, b.z, fma(a.y, b.y, fma(a.x, b.x, sum))));
}

/// Chunk c of four stored rows.
struct Four { a: Packed, b: Packed, c: Packed, d: Packed }

/// Past the end it repeats the last row: no other slot is read.
fn four_rows(base: u32, ring: Stretch, key: u32, end: u32, c: u32) -> Four {
  return Four(
    packed_chunk(base + slot_of(ring, min(key, end - 1)), c),
    packed_chunk(base + slot_of(ring, min(key + 1, end - 1)), c),
    packed_chunk(base + slot_of(ring, min(key + 2, end - 1)), c),
    packed_chunk(base + slot_of(ring, min(key + 3, end - 1)), c),
  );
}
