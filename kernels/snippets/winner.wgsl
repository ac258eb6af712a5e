// The largest (key, id) of a workgroup of THREADS threads; of equal keys the lowest id. THREADS is a multiple
// of 16. Two steps of sixteen instead of a tree: drivers take long to compile a barrier. The kernel defines
// struct Winner.
var<workgroup> candidates: array<vec2u, THREADS>;
var<workgroup> first: Winner;

// The result is uniform, and so is the `sequence` in it: WGSL cannot know that all threads read the same one.
fn workgroup_winner(mine: vec2u, sequence: u32, thread: u32) -> Winner {
  candidates[thread] = mine;
  workgroupBarrier();
  if (thread < 16) { candidates[thread] = best_of(thread, 16, THREADS); }
  workgroupBarrier();
  if (thread == 0) {
    let best = best_of(0, 1, 16);
    first = Winner(best.x, best.y, sequence);
  }
  return workgroupUniformLoad(&first);  // its barriers also protect values that others still read
}

fn best_of(start: u32, step: u32, end: u32) -> vec2u {
  var best = candidates[start];
  for (var i = start + step; i < end; i += step) {
    let other = candidates[i];
    if (other.x > best.x || (other.x == best.x && other.y < best.y)) { best = other; }
  }
  return best;
}
