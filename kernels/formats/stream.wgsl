// 32 weights of a row that a lane loads at once, of formats without scales. The format defines `words8`, and
// `unpack8` of those.
struct Strip { a: Words8, b: Words8, c: Words8, d: Words8 }

fn strip(n: u32, round: u32, lane: u32) -> Strip {
  let k8 = 128 * round + lane;
  let last = K / 8 - 1;
  return Strip(
    words8(n, min(k8, last)), words8(n, min(k8 + 32, last)),
    words8(n, min(k8 + 64, last)), words8(n, min(k8 + 96, last)),
  );
}

/// The place of chunk c of a lane in a round, in units of 8 columns.
fn column8(lane: u32, c: u32) -> u32 { return 32 * c + lane; }

const INPUT_FACTORS = vec4f(1);

fn strip8(w: Strip, c: u32) -> mat2x4f {
  if (c == 0) { return unpack8(w.a); }
  if (c == 1) { return unpack8(w.b); }
  if (c == 2) { return unpack8(w.c); }
  return unpack8(w.d);
}

const CHUNKS_PER_SCALE = 1u;
fn strip_scale(w: Strip, c: u32) -> f32 { return 1; }
const HAS_OFFSETS = false;
fn strip_offset(w: Strip) -> f32 { return 0; }
