// cache[to_ring] = cache[from_ring], for a range of slots: the keys and values of a prefix.
// One thread per word; a line of workgroups (y) per key/value head, keys then values.

override G: u32;          // key/value heads
override S: u32;          // slots of the ring
override ROW_WORDS: u32;  // words of a stored row

struct SlotRange {
  from_ring: u32,
  to_ring: u32,
  first: u32,  // slot
  slots: u32,  // at most S; slot 0 follows slot S - 1
}

@group(0) @binding(0) var<storage, read_write> cache: array<u32>;  // [B, 2, G, S, ROW_WORDS]
@group(0) @binding(1) var<storage, read> params: SlotRange;

@compute @workgroup_size(256)
fn copy_slots(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= params.slots * ROW_WORDS) { return; }
  let head_words = S * ROW_WORDS;
  let word = (params.first * ROW_WORDS + id.x) % head_words;  // the words of a head wrap as its slots do
  let to = (params.to_ring * 2 * G + id.y) * head_words;
  let source = (params.from_ring * 2 * G + id.y) * head_words;
  cache[to + word] = cache[source + word];
}
