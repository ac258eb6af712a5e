// 32 nibbles of a row that a lane loads at once. The format defines `Strip`, with `words`, and `codes4`.
/// The place of chunk c of a lane in a round, in units of 8 columns.
fn column8(lane: u32, c: u32) -> u32 { return 4 * lane + c; }

/// `codes4` makes nibble i bits 4i … 4i + 3 of the f32 2^23, which converts it: codes times 1, 16, 256, 4096.
/// The input is divided by the same powers of two.
const INPUT_FACTORS = 1 / vec4f(1, 16, 256, 4096);

fn strip8(w: Strip, c: u32) -> mat2x4f {
  let pair = select(w.words.xy, w.words.zw, c >= 2);
  let word = select(pair.x, pair.y, c % 2 != 0);
  return mat2x4f(codes4(word), codes4(word >> 16));
}

const CHUNKS_PER_SCALE = 4u;
