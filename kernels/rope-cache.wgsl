// Prefill: q = rope(q) in place; the ring's slots of these positions = rope(k), v. Rotate-half RoPE.
// One thread per rotation pair of a query, or unit of the row of a key or value, of one token t.

override S: u32;        // slots of the ring: position p is in slot p mod S
override VECTORS: u32;  // vec4f of a stored head
override THREADS: u32 = 64;

@group(0) @binding(0) var<storage, read_write> qkv: array<f32>;  // [T, QKV_STRIDE] as [H + 2G, d]

@compute @workgroup_size(THREADS)
fn rope_cache(@builtin(global_invocation_id) id: vec3u) {
  let t = id.y;
  let query_pairs = H * (d / 2);
  if (id.x < query_pairs) {
    let head = id.x / (d / 2);
    let i = id.x % (d / 2);
    let pair = turned_pair(t, head, i);
    let at = t * QKV_STRIDE + head * d + i;
    qkv[at] = pair.x;
    qkv[at + d / 2] = pair.y;
    return;
  }
  // Keys, then values: rows of the ring are [B, 2, G, S]; heads H .. H + 2G - 1 are [2, G].
  let row = (id.x - query_pairs) / UNITS;
  if (row >= 2 * G) { return; }
  let slot = (rows[t].z * 2 * G + row) * S + rows[t].y % S;
  store_unit(slot, (id.x - query_pairs) % UNITS, t, H + row);
}

fn turned_pair(t: u32, head: u32, i: u32) -> vec2f {
  let at = t * QKV_STRIDE + head * d + i;
  return turned(t, head, i, vec2f(qkv[at], qkv[at + d / 2]));
}

/// Entries 4c … 4c + 3 of a key or value of token t, keys rotated. Zero from d on.
fn fresh4(t: u32, head: u32, c: u32) -> vec4f {
  let i = 4 * c;
  return vec4f(entry(t, head, i), entry(t, head, i + 1), entry(t, head, i + 2), entry(t, head, i + 3));
}

fn entry(t: u32, head: u32, i: u32) -> f32 {
  let pair = turned_pair(t, head, i % (d / 2));
  return select(select(pair.x, pair.y, i >= d / 2), 0, i >= d);
}
