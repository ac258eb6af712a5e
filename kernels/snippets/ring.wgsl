// What attention reads: queries, their positions, and the rows of the ring that they see.
override H: u32;                            // query heads
override G: u32;                            // key/value heads
override d: u32;                            // head width, even
override S: u32;                            // slots of the ring: position p is in slot p mod S
override W: u32;                            // window: position p sees p - W + 1 … p
override QKV_STRIDE: u32;                   // stored width of a row of qkv
override OUT_STRIDE: u32;                   // stored width of a row of out
override VECTORS: u32;                      // vec4f of a stored head
override M: u32;                            // query heads that share a key/value head

@group(0) @binding(0) var<storage, read> qkv: array<f32>;     // [T, QKV_STRIDE] as [H + 2G, d], after RoPE
@group(0) @binding(2) var<storage, read> rows: array<vec4u>;  // [T] id, position, ring, tokens in this pass

/// Entries 4c … 4c + 3 of a head of token t as projected. Heads count queries, then keys, then values. Zero
/// from d on.
fn fresh4(t: u32, head: u32, c: u32) -> vec4f {
  let at = t * QKV_STRIDE + head * d + 4 * c;
  if (4 * c + 2 < d) { return vec4f(qkv[at], qkv[at + 1], qkv[at + 2], qkv[at + 3]); }
  return vec4f(qkv[at], qkv[at + 1], 0, 0);
}

/// The same for a query head, scaled by 1 / sqrt(d).
fn query4(t: u32, head: u32, c: u32) -> vec4f { return fresh4(t, head, c) * inverseSqrt(f32(d)); }

/// The lowest position that position p sees.
fn first_visible(p: u32) -> u32 { return p + 1 - min(p + 1, W); }

/// The stored rows of at most S consecutive positions of one sequence and key/value head.
struct Stretch { keys: u32, values: u32, slot: u32 }

fn stretch(sequence: u32, g: u32, first: u32) -> Stretch {
  return Stretch((sequence * 2 * G + g) * S, (sequence * 2 * G + G + g) * S, first % S);
}

/// The slot of the i-th position of a stretch, i < S.
fn slot_of(s: Stretch, i: u32) -> u32 {
  let slot = s.slot + i;
  return select(slot, slot - S, slot >= S);
}
