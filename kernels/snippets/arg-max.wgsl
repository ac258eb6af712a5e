// The largest (key, id) of a workgroup of THREADS threads; of equal keys the lowest id. Uniform. THREADS is a power of two.
var<workgroup> arg_max_best: array<vec2u, THREADS>;

fn workgroup_arg_max(mine: vec2u, thread: u32) -> vec2u {
  workgroupBarrier();  // a second search must not overwrite what others still read
  arg_max_best[thread] = mine;
  workgroupBarrier();
  for (var half = THREADS / 2; half > 0; half /= 2) {
    if (thread < half) {
      let a = arg_max_best[thread];
      let b = arg_max_best[thread + half];
      arg_max_best[thread] = select(a, b, b.x > a.x || (b.x == a.x && b.y < a.y));
    }
    workgroupBarrier();
  }
  return workgroupUniformLoad(&arg_max_best[0]);
}
