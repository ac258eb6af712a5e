// out[i] = x[i], four words at a time: what an adapter's memory can do.
// One workgroup per EACH * 64 vec4s, its threads side by side; lines of 64 workgroups, as no dimension may pass 65535.

override LENGTH: u32;  // vec4s
override EACH: u32;    // vec4s of a thread: a software driver takes its time to begin a workgroup

@group(0) @binding(0) var<storage, read> x: array<vec4u>;          // [LENGTH]
@group(0) @binding(1) var<storage, read_write> out: array<vec4u>;  // [LENGTH]

@compute @workgroup_size(64)
fn copy(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let first = (group.y * 64 + group.x) * EACH * 64 + thread;
  // Not known to the compiler: lavapipe unrolls loops whose bounds it can see.
  let each = select(0, EACH, arrayLength(&out) > 0);
  for (var k = 0u; k < each; k++) {
    let i = first + k * 64;
    if (i < LENGTH) { out[i] = x[i]; }
  }
}
