// The keys that a workgroup of a decode step reads, and their scores while the threads of a key share them.

/// A part of the keys that a token sees. The HEADS query heads from m0 on, of key/value head g, attend to it.
struct Own { t: u32, g: u32, m0: u32, ring: Stretch, visible: u32, begin: u32, end: u32 }

fn own_keys(group: vec3u) -> Own {
  let t = group.z;
  let head_blocks = (M + HEADS - 1) / HEADS;
  let g = group.x / head_blocks;
  let m0 = group.x % head_blocks * HEADS;
  let p = rows[t].y;
  let first = first_visible(p);
  let visible = p + 1 - first;
  let begin = part_keys(visible) * group.y;
  let end = min(visible, begin + part_keys(visible));
  return Own(t, g, m0, stretch(rows[t].z, g, first), visible, begin, end);
}

/// Reads the queries. If the part has the newest key, stores it and its value first.
fn share_queries(own: Own, thread: u32) {
  for (var i = thread; i < QUERY_LENGTH; i += THREADS) {
    query[i] = query4(own.t, own.g * M + min(own.m0 + i / VECTORS, M - 1), i % VECTORS);
  }
  if (own.end == own.visible) { store_newest(own.ring, own.visible - 1, own.t, own.g, thread, THREADS); }
  storageBarrier();
  workgroupBarrier();
}

fn scores4(row: u32, key4: u32) -> vec4f {
  var scores = vec4f(0);
  for (var l = 0u; l < LANES; l++) { scores += shared4[score_at(row, key4, l)]; }
  return scores;
}

/// Where lane l of a key puts its share of a score. Rotated by key4: both the writes and the reads of scores4
/// spread over the banks.
fn score_at(row: u32, key4: u32, lane: u32) -> u32 {
  return (row * BLOCK4 + key4) * LANES + (lane + key4) % LANES;
}
