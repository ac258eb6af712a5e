// The largest (key, id) of a workgroup of THREADS threads; of equal keys the lowest id. THREADS is a multiple of 16: two steps
// of sixteen rather than a tree, since drivers take long to compile a barrier.
// Needs struct Winner from the kernel.
var<workgroup> candidates: array<vec2u, THREADS>;
var<workgroup> first: Winner;

// Uniform: `sequence` comes along, since of what each thread read by itself WGSL does not know that all read the same.
fn workgroup_winner(mine: vec2u, sequence: u32, thread: u32) -> Winner {
  candidates[thread] = mine;
  workgroupBarrier();
  if (thread < 16) { candidates[thread] = best_of(thread, 16, THREADS); }
  workgroupBarrier();
  if (thread == 0) {
    let best = best_of(0, 1, 16);
    first = Winner(best.x, best.y, sequence);
  }
  return workgroupUniformLoad(&first);  // its barriers also keep the next search off what others still read
}

fn best_of(start: u32, step: u32, end: u32) -> vec2u {
  var best = candidates[start];
  for (var i = start + step; i < end; i += step) {
    let other = candidates[i];
    if (other.x > best.x || (other.x == best.x && other.y < best.y)) { best = other; }
  }
  return best;
}
