// Adds `value` over the THREADS threads of a workgroup; every thread gets the total. THREADS is a power of two.
var<workgroup> partial_sum: array<f32, THREADS>;

fn workgroup_sum(value: f32, thread: u32) -> f32 {
  workgroupBarrier();  // a second sum must not overwrite what others still read
  partial_sum[thread] = value;
  workgroupBarrier();
  for (var half = THREADS / 2; half > 0; half /= 2) {
    if (thread < half) { partial_sum[thread] += partial_sum[thread + half]; }
    workgroupBarrier();
  }
  return partial_sum[0];
}
