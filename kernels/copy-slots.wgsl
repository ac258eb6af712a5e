// cache[to_ring] = cache[from_ring], for a range of slots: the keys and values of a prefix.
// One thread per word. Key/value heads (z), keys then values; the words of one in lines of workgroups (x, y).

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

const THREADS = 256u;

@compute @workgroup_size(THREADS)
fn copy_slots(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let index = (workgroup.y * workgroups.x + workgroup.x) * THREADS + thread;
  if (index >= params.slots * ROW_WORDS) { return; }
  let head_words = S * ROW_WORDS;
  let word = (params.first * ROW_WORDS + index) % head_words;  // the words of a head wrap as its slots do
  let to = (params.to_ring * 2 * G + workgroup.z) * head_words;
  let source = (params.from_ring * 2 * G + workgroup.z) * head_words;
  cache[to + word] = cache[source + word];
}
