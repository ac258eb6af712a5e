// gathered[t, k] = x[t, columns[k]]: the input of a matrix whose columns are stored in another order.
// One thread per column k of token t. A snippet defines `gather_gain`.

override STRIDE: u32;         // stored width of a row
override THREADS: u32 = 64;

@group(0) @binding(0) var<storage, read> x: array<f32>;               // [T, STRIDE]
@group(0) @binding(2) var<storage, read> columns: array<u32>;         // [STRIDE]
@group(0) @binding(3) var<storage, read_write> gathered: array<f32>;  // [T, STRIDE]

@compute @workgroup_size(THREADS)
fn gather(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= STRIDE) { return; }
  let column = columns[id.x];
  gathered[id.y * STRIDE + id.x] = x[id.y * STRIDE + column];
  if (id.y == 0) { gather_gain(id.x, column); }
}
