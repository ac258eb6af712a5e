// For GPUs. A round of a team is 1024 columns: each lane loads 32 weights of a row, 16 bytes at a time beside
// its neighbours, and the loads of the next round are in flight meanwhile. The input is staged once for the
// workgroup. All TOKENS run the same code. A format defines `strip` and what reads it, an input snippet
// `input8`.
override K: u32;                             // stored width of a row, a multiple of 32

const CHUNKS = 4u;                           // of 8 columns for each lane in a round
const STAGED = max(1u, CHUNKS / TOKENS);     // chunks staged at once: [TOKENS, STAGED, 2, LANES]
const SHARE = max(1u, TOKENS / CHUNKS);      // tokens of which a thread stages a chunk

var<workgroup> squares: array<f32, TOKENS * THREADS>;

/// As in dot-rows.wgsl.
fn dot_rows(team: u32, block: u32, thread: u32) -> array<RowSums, HELD> {
  let n = computed_rows(team, thread);
  let lane = thread % LANES;
  var sums = array<vec4f, TOKENS>();
  var codes = array<Products, TOKENS>();
  var next = strips(n, 0, lane);
  let rounds = (K + 1023) / 1024;
  for (var round = 0u; round < rounds; round++) {
    let now = next;
    next = strips(n, min(round + 1, rounds - 1), lane);
    for (var c = 0u; c < CHUNKS; c++) {
      stage(block, round, c, thread);
      multiply(&sums, &codes, now, c, lane);
    }
  }
  return team_sums(&sums, thread);
}

/// Codes times input, of four rows, and the sum of that input where weights have an offset: of the chunks
/// since the last that ended a scale.
struct Products { rows: vec4f, input: f32 }

/// The weights of four rows that a lane loads for a round. Past the end of a row it loads the last again, for
/// inputs that are zero.
fn strips(n: vec4u, round: u32, lane: u32) -> array<Strip, 4> {
  return array(
    strip(n.x, round, lane), strip(n.y, round, lane), strip(n.z, round, lane), strip(n.w, round, lane)
  );
}

/// Stages the input of chunks c … c + STAGED - 1, if c is the first of that many. A thread reads one chunk of
/// SHARE tokens.
fn stage(block: u32, round: u32, c: u32, thread: u32) {
  if (c % STAGED != 0) { return; }
  workgroupBarrier();  // the chunks before are done
  let chunk = thread / LANES % STAGED;
  let k8 = 128 * round + column8(thread % LANES, c + chunk);
  for (var i = 0u; i < SHARE; i++) {
    let token = thread / (LANES * STAGED) + CHUNKS * i;
    var v = mat2x4f();
    if (k8 < K / 8) { v = input8(CHUNKS * i + c / STAGED, token_row(block, token), k8).values; }
    let at = 2 * LANES * (token * STAGED + chunk) + thread % LANES;
    staged[at] = v[0] * INPUT_FACTORS;
    staged[at + LANES] = v[1] * INPUT_FACTORS;
  }
  workgroupBarrier();
}

/// Adds the products of chunk c of the round. Those of the chunks that share a scale are added first:
/// products with a common factor may be merged by a compiler, and not for every TOKENS.
fn multiply(
  sums: ptr<function, array<vec4f, TOKENS>>,
  codes: ptr<function, array<Products, TOKENS>>,
  w: array<Strip, 4>,
  c: u32,
  lane: u32,
) {
  let w0 = strip8(w[0], c);
  let w1 = strip8(w[1], c);
  let w2 = strip8(w[2], c);
  let w3 = strip8(w[3], c);
  let scales = vec4f(strip_scale(w[0], c), strip_scale(w[1], c), strip_scale(w[2], c), strip_scale(w[3], c));
  let offsets = vec4f(strip_offset(w[0]), strip_offset(w[1]), strip_offset(w[2]), strip_offset(w[3]));
  for (var i = 0u; i < TOKENS; i++) {
    let at = 2 * LANES * (i * STAGED + c % STAGED) + lane;
    let v = mat2x4f(staged[at], staged[at + LANES]);
    codes[i].rows += vec4f(dot8(w0, v), dot8(w1, v), dot8(w2, v), dot8(w3, v));
    if (HAS_OFFSETS) { codes[i].input += dot8(mat2x4f(1 / INPUT_FACTORS, 1 / INPUT_FACTORS), v); }
    if ((c + 1) % CHUNKS_PER_SCALE == 0) {
      if (HAS_OFFSETS) { sums[i] = fma(offsets, vec4f(codes[i].input), sums[i]); }
      sums[i] = fma(scales, codes[i].rows, sums[i]);
      codes[i] = Products();
    }
  }
}

/// The sums of the token and the team that this thread holds, added in the same order for all TOKENS.
fn team_sums(sums: ptr<function, array<vec4f, TOKENS>>, thread: u32) -> array<RowSums, HELD> {
  for (var i = 0u; i < TOKENS; i++) {
    let token = thread / (LANES * STAGED) + i / CHUNKS * CHUNKS;
    let chunk = i % CHUNKS * STAGED + thread / LANES % STAGED;
    squares[token * THREADS + chunk * LANES + thread % LANES] = input_squares(i);
  }
  workgroupBarrier();
  for (var i = thread; i < 8 * TOKENS; i += THREADS) {
    let first = i / 8 * THREADS + i % 8;
    for (var at = first + 8; at < (i / 8 + 1) * THREADS; at += 8) { squares[first] += squares[at]; }
  }
  let total = lanes_total(sums, thread);
  var total_squares = 0.0;
  for (var i = 0u; i < 8; i++) { total_squares += squares[token_held(0, thread) * THREADS + i]; }
  return array(RowSums(total, input_factor(total_squares)));
}
