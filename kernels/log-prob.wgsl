// log_probs[t, 0] = logits[t, id] - log(sum_i exp(logits[t, i])) for the target id of row t; tokens[t, 0] =
// its rank, 1 for the likeliest. Then the likeliest tokens: log_probs[t, 1 + k] and id tokens[t, 1 + k].
// One workgroup per row t. The likeliest tokens are found one by one: each thread offers its best, and only
// the thread that won looks for its next. The first is always found: exponentials are relative to it.

override V: u32;              // vocabulary
override STRIDE: u32;         // stored width of a row, V rounded up to a multiple of 32
override RESULTS: u32;        // stored width of a row of results
override THREADS: u32 = 256;

@group(0) @binding(0) var<storage, read> logits: array<vec4f>;         // [T, STRIDE]
@group(0) @binding(1) var<storage, read> targets: array<vec2u>;        // [T]: id, likeliest tokens wanted
@group(0) @binding(2) var<storage, read_write> log_probs: array<f32>;  // [T, RESULTS], natural logarithms
@group(0) @binding(3) var<storage, read_write> tokens: array<u32>;     // [T, RESULTS]

var<workgroup> listed: array<u32, RESULTS>;  // ids: the target, then the likeliest

struct Winner { key: u32, id: u32, row: u32 }
const FIRST = vec2u(0xffffffff, 0);   // (key, id): before every token
const NOBODY = vec2u(0, 0xffffffff);  // after every token

@compute @workgroup_size(THREADS)
fn log_prob(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let t = group.x;
  let row = t * (STRIDE / 4);
  let id = targets[t].x;
  if (id >= V) {  // no target
    if (thread == 0) {
      log_probs[t * RESULTS] = 0;
      tokens[t * RESULTS] = 0;
    }
    return;
  }

  let wanted = targets[t].y;
  var winner = Winner(0, FIRST.y, t);
  var mine = FIRST;
  var best: f32;
  for (var k = 0u; k < max(wanted, 1); k++) {
    if (mine.y == winner.id) { mine = following(row, mine, thread); }
    winner = workgroup_winner(mine, t, thread);
    if (k == 0) { best = unordered(winner.key); }
    if (thread == 0) { listed[1 + k] = winner.id; }
  }
  if (thread == 0) { listed[0] = id; }

  let own = logits[row + id / 4][id % 4];
  var sum = 0.0;
  var likelier = 0.0;
  for (var i = thread; i < (V + 3) / 4; i += THREADS) {
    let ids = 4 * i + vec4u(0, 1, 2, 3);
    let inside = ids < vec4u(V);
    let x = logits[row + i];
    sum += dot(select(vec4f(0), exp(x - best), inside), vec4f(1));
    let before = inside & ((x > vec4f(own)) | ((x == vec4f(own)) & (ids < vec4u(id))));
    likelier += dot(select(vec4f(0), vec4f(1), before), vec4f(1));
  }
  let total = workgroup_sum(sum, thread);  // its barriers also publish `listed`
  let rank = 1 + u32(workgroup_sum(likelier, thread));  // exact: below 2^24

  // The only place that computes a logarithm: equal logits have equal bits here, whatever a compiler does.
  if (thread <= wanted) {
    let each = listed[thread];
    log_probs[t * RESULTS + thread] = (logits[row + each / 4][each % 4] - best) - log(total);
    tokens[t * RESULTS + thread] = select(each, rank, thread == 0);
  }
}

// Of this thread's tokens after `last`, the first: the likeliest, and of equally likely ones the lowest id.
fn following(row: u32, last: vec2u, thread: u32) -> vec2u {
  var next = NOBODY;
  for (var i = thread; i < (V + 3) / 4; i += THREADS) {
    var x = logits[row + i];
    for (var id = 4 * i; id < min(4 * i + 4, V); id++) {
      let key = key_of(x.x);
      if (key > next.x && (key < last.x || (key == last.x && id > last.y))) { next = vec2u(key, id); }
      x = x.yzwx;  // x[c] would unroll this loop
    }
  }
  return next;
}

// Equal for equal floats: -0 counts as 0.
fn key_of(x: f32) -> u32 {
  return select(ordered(x), 0x80000000, (bitcast<u32>(x) << 1) == 0);
}
