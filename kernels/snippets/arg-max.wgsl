// The largest (key, id) of a workgroup of THREADS threads; of equal keys the lowest id. Uniform. THREADS is a multiple
// of 16. Two steps of sixteen rather than a tree: three barriers, and the shader compiles in a fraction of the time.
var<workgroup> arg_max_best: array<vec2u, THREADS>;

fn workgroup_arg_max(mine: vec2u, thread: u32) -> vec2u {
  workgroupBarrier();  // a second search must not overwrite what others still read
  arg_max_best[thread] = mine;
  workgroupBarrier();
  if (thread < 16) { arg_max_best[thread] = best_of(thread, 16, THREADS); }
  workgroupBarrier();
  if (thread == 0) { arg_max_best[0] = best_of(0, 1, 16); }
  return workgroupUniformLoad(&arg_max_best[0]);
}

fn best_of(start: u32, step: u32, end: u32) -> vec2u {
  var best = arg_max_best[start];
  for (var i = start + step; i < end; i += step) {
    let other = arg_max_best[i];
    if (other.x > best.x || (other.x == best.x && other.y < best.y)) { best = other; }
  }
  return best;
}
