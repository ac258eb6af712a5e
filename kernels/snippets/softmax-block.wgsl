// Online softmax of ROWS rows, 4 * BLOCK4 keys at a time (Milakov and Gimelshein 2018). After each block:
//   max' = max(max, scores),  weight = exp(score - max'),
//   shrink = exp(max - max'),  sum' = sum * shrink + weights
// PARTS threads share a row. The kernel's `fn scores4(row, key4) -> vec4f` gives the scores of keys 4 key4 …
// 4 key4 + 3 of the block.
const NEVER: f32 = -3e38;  // score of a hidden key: its weight is 0,
const START: f32 = -1e30;  // even if the row has not seen a key yet
const PARTS = min(8u, THREADS / ROWS);
const WEIGHT_STRIDE = BLOCK4 + 1;  // odd, so that rows are in different banks

var<workgroup> weights: array<vec4f, ROWS * WEIGHT_STRIDE>;  // [ROWS, BLOCK4]
var<workgroup> shrink: array<f32, ROWS>;
var<workgroup> row_sum: array<f32, ROWS>;
var<workgroup> part: array<f32, ROWS * PARTS>;

/// A thread's state of its row: the largest score so far, and the sum of the weights that it computed itself.
struct Softmax { max: f32, sum: f32 }

/// Replaces `weights` and `shrink` by those of the next block. All threads can read both afterwards.
fn softmax_block(thread: u32, before: Softmax) -> Softmax {
  let row = thread / PARTS;
  let mine = thread % PARTS;
  var after = before;
  if (row < ROWS) {
    var highest = vec4f(NEVER);
    for (var i = mine; i < BLOCK4; i += PARTS) {
      let scores = scores4(row, i);
      weights[row * WEIGHT_STRIDE + i] = scores;
      highest = max(highest, scores);
    }
    part[thread] = max(max(highest.x, highest.y), max(highest.z, highest.w));
  }
  workgroupBarrier();
  if (row < ROWS) {
    for (var i = 0u; i < PARTS; i++) { after.max = max(after.max, part[row * PARTS + i]); }
    let ratio = exp(before.max - after.max);
    var sum = vec4f(0);
    for (var i = mine; i < BLOCK4; i += PARTS) {
      let weight = exp(weights[row * WEIGHT_STRIDE + i] - after.max);
      weights[row * WEIGHT_STRIDE + i] = weight;
      sum += weight;
    }
    after.sum = before.sum * ratio + dot(sum, vec4f(1));
    if (mine == 0) { shrink[row] = ratio; }
  }
  workgroupBarrier();
  return after;
}

/// Stores the sum of every row in `row_sum`, where all threads can read it.
fn softmax_end(thread: u32, softmax: Softmax) {
  if (thread < ROWS * PARTS) { part[thread] = softmax.sum; }
  workgroupBarrier();
  if (thread < ROWS) {
    var sum = 0.0;
    for (var i = 0u; i < PARTS; i++) { sum += part[thread * PARTS + i]; }
    row_sum[thread] = sum;
  }
  workgroupBarrier();
}
