// id of rows[b] = argmin_i E_i / exp(x[b, i] / temperature) over the kept tokens, E_i exponential: the
// exponential race, which is the Gumbel-max draw from softmax (Gumbel 1954). x: logits after bias and
// penalties. Rules: kernels/sampling.ts. One workgroup per row b of sequence rows[b].z; a thread has every
// 256th group of four logits.

override V: u32;       // vocabulary
override STRIDE: u32;  // stored width of a row, V rounded up to a multiple of 32
const THREADS = 256u;

struct Params {
  scale: f32,       // octaves per unit of logit, in units of 2^-25; 0: greedy
  top_k: u32,       // 0: all
  top_p: u32,       // in units of 2^-32; 0: all
  farthest: u32,    // octaves below the likeliest that min-p keeps
  discourage_positive: f32,  // factors of the logits of tokens in the prompt or answer
  discourage_negative: f32,
  frequency: f32,   // subtracted for each occurrence in the answer
  presence: f32,    // subtracted once if in the answer
  seed_low: u32,
  seed_high: u32,
  flags: u32,
  unused: u32,
}
const USES_BIAS: u32 = 1;
const USES_COUNTS: u32 = 2;
const USES_MASK: u32 = 4;

@group(0) @binding(0) var<storage, read_write> logits: array<vec4f>;  // [T, STRIDE]; scratch afterwards
@group(0) @binding(1) var<storage, read_write> counts: array<u32>;    // [B, V] bit 31: in prompt; rest: count
@group(0) @binding(2) var<storage, read> bias: array<f32>;            // [B, V]
@group(0) @binding(3) var<storage, read> params: array<Params>;       // [B, 12 words]
@group(0) @binding(4) var<storage, read_write> rows: array<vec4u>;    // [T]: id, position, ring, 0
@group(0) @binding(5) var<storage, read> mask: array<u32>;            // [B, ceil(V/32)]: a bit allows a token

const LARGEST = 1e20f;    // logits are clamped to ±LARGEST: no step meets infinity; NaN counts as -LARGEST
const EXCLUDED = -2e20f;  // below every logit: tokens outside the mask, and the padding

struct Winner { key: u32, id: u32, sequence: u32 }
const NOBODY = vec2u(0, 0xffffffff);  // (key, id)

@compute @workgroup_size(THREADS)
fn sample(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let b = group.x;
  let row = b * (STRIDE / 4);
  let sequence = rows[b].z;
  let own = params[sequence];

  var mine = NOBODY;
  for (var i = thread; i < STRIDE / 4; i += THREADS) {
    var x = logits[row + i];
    for (var c = 0u; c < 4; c++) {
      x = vec4f(x.yzw, adjusted(x.x, sequence, 4 * i + c, own));  // rotated: x[c] would unroll this loop
      if (ordered(x.w) > mine.x) { mine = vec2u(ordered(x.w), 4 * i + c); }
    }
    if (own.scale != 0) { logits[row + i] = x; }
  }

  // The likeliest token, then the drawn one. A loop: drivers inline calls, and take long to compile a
  // barrier.
  var winner: Winner;
  for (var drawn = false; ; drawn = true) {
    winner = workgroup_winner(mine, sequence, thread);
    let p = params[winner.sequence];
    if (drawn || p.scale == 0 || winner.key <= ordered(-LARGEST)) { break; }
    let best = unordered(winner.key);
    var limit = 64 * OCTAVE - 1;
    for (var by_mass = 0u; by_mass < 2; by_mass++) {  // top-k, then top-p
      let wanted = select(select(0, p.top_k, p.top_k < V), p.top_p, by_mass == 1);
      if (wanted > 0) { limit = nearest(row, best, p.scale, limit, wanted, by_mass == 1, thread); }
    }
    mine = race(b, p, best, min(limit, p.farthest), thread);
  }

  if (thread == 0) {
    rows[b] = vec4u(winner.id, rows[b].y + 1, sequence, 0);
    counts[sequence * V + winner.id] += 1;
  }
}

// This thread's winner of the race as (-1 - octaves, id): the largest wins.
fn race(b: u32, p: Params, best: f32, limit: u32, thread: u32) -> vec2u {
  let position = rows[b].y + 1;
  var winner = NOBODY;
  for (var i = thread; i < STRIDE / 4; i += THREADS) {
    var far = distances(b * (STRIDE / 4) + i, best, p.scale);
    let nearest_of_four = min(min(far.x, far.y), min(far.z, far.w));
    if (nearest_of_four > limit || nearest_of_four >= ~winner.x) { continue; }
    var random = philox(vec4u(i, position, 0, 0), vec2u(p.seed_low, p.seed_high));
    for (var c = 0u; c < 4; c++) {
      // A lower bound of the time in the race saves most logarithms.
      if (far.x <= limit && far.x + (32 - countLeadingZeros(random.x)) * OCTAVE < ~winner.x) {
        let time = far.x + log2_exponential(random.x);
        if (~time > winner.x) { winner = vec2u(~time, 4 * i + c); }
      }
      far = far.yzwx;
      random = random.yzwx;
    }
  }
  return winner;
}

// Octaves by which four tokens are less likely than the likeliest. At most 64: those are never drawn.
fn distances(at: u32, best: f32, scale: f32) -> vec4u {
  return vec4u(min((best - logits[at]) * scale, vec4f(f32(64 * OCTAVE))));
}

// The logit of token i after mask, bias and penalties. Each step ends in finite(): no device can fuse two
// steps and round differently.
fn adjusted(logit: f32, sequence: u32, i: u32, p: Params) -> f32 {
  if (i >= V) { return EXCLUDED; }
  if ((p.flags & USES_MASK) != 0) {
    let word = mask[sequence * ((V + 31) / 32) + i / 32];
    if (((word >> (i % 32)) & 1) == 0) { return EXCLUDED; }
  }
  let at = sequence * V + i;
  var x = finite(logit);
  if ((p.flags & USES_BIAS) != 0) { x = finite(x + finite(bias[at])); }
  if ((p.flags & USES_COUNTS) != 0) {
    let seen = counts[at];
    if (seen != 0) { x = finite(x * select(p.discourage_negative, p.discourage_positive, x > 0)); }
    let times = seen & 0x7fffffff;
    if (times != 0) { x = finite(x - f32(times) * p.frequency - p.presence); }
  }
  return x;
}

// Clamps to ±LARGEST; NaN becomes -LARGEST, subnormals 0. Works on bits: a WGSL compiler may assume there is
// no NaN.
fn finite(x: f32) -> f32 {
  let bits = bitcast<u32>(x);
  let magnitude = bits & 0x7fffffff;
  if (magnitude < 0x00800000) { return 0; }
  if (magnitude <= bitcast<u32>(LARGEST)) { return x; }
  return select(LARGEST, -LARGEST, bits != magnitude || magnitude > 0x7f800000);
}
