// out[i] = x[i], four words at a time: what an adapter's memory can do.
// One thread per vec4; lines of 64 workgroups, as no dimension may pass 65535.

override LENGTH: u32;  // vec4s

@group(0) @binding(0) var<storage, read> x: array<vec4u>;          // [LENGTH]
@group(0) @binding(1) var<storage, read_write> out: array<vec4u>;  // [LENGTH]

@compute @workgroup_size(64)
fn copy(@builtin(global_invocation_id) id: vec3u) {
  let i = id.y * 4096 + id.x;
  if (i < LENGTH) { out[i] = x[i]; }
}
