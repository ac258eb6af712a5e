// Adds `value` over the THREADS threads of a workgroup. Every thread gets the total. THREADS is a multiple of
// 16. Three barriers for any number of threads: software drivers take long to compile a deep tree.
var<workgroup> partial_sum: array<f32, THREADS>;

fn workgroup_sum(value: f32, thread: u32) -> f32 {
  workgroupBarrier();  // a second sum must not overwrite values that other threads still read
  partial_sum[thread] = value;
  workgroupBarrier();
  if (thread < 16) {
    for (var i = thread + 16; i < THREADS; i += 16) { partial_sum[thread] += partial_sum[i]; }
  }
  workgroupBarrier();
  var total = partial_sum[0];
  for (var i = 1u; i < 16; i++) { total += partial_sum[i]; }
  return total;
}
