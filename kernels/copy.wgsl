// out[i] = x[i], four words at a time: measures the bandwidth of an adapter's memory.
// One workgroup per EACH * 64 vec4s, in lines of 64 workgroups: no dimension may be over 65535.

override LENGTH: u32;  // vec4s
override EACH: u32;    // vec4s of a thread: software drivers take long to start a workgroup

@group(0) @binding(0) var<storage, read> x: array<vec4u>;          // [LENGTH]
@group(0) @binding(1) var<storage, read_write> out: array<vec4u>;  // [LENGTH]

@compute @workgroup_size(64)
fn copy(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let first = (group.y * 64 + group.x) * EACH * 64 + thread;
  // Hidden from the compiler: lavapipe unrolls loops whose bounds it knows.
  let each = select(0, EACH, arrayLength(&out) > 0);
  for (var k = 0u; k < each; k++) {
    let i = first + k * 64;
    if (i < LENGTH) { out[i] = x[i]; }
  }
}
