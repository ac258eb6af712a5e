// x[t, :] = weight[id of t, :], for ids N0 .. N0 + N - 1.
// One thread per 8 entries of a token t. A part of a split embedding skips the tokens of the other parts.

override N: u32;              // rows of this part
override N0: u32;             // its first id
override WIDTH: u32;          // entries of a row
override K: u32;              // the same, padded
override THREADS: u32 = 64;

@group(0) @binding(0) var<storage, read> rows: array<vec4u>;     // [T] id, position, ring, tokens in pass
@group(0) @binding(1) var<storage, read_write> x: array<vec4f>;  // [T, K]

@compute @workgroup_size(THREADS)
fn embed(@builtin(global_invocation_id) id: vec3u) {
  let token = rows[id.y].x;
  if (id.x >= K / 8 || token < N0 || token >= N0 + N) { return; }
  let w = weight8(token - N0, id.x);
  let i = id.y * (K / 4) + 2 * id.x;
  // Padding is 0 in x, whatever it is in weights.
  let columns = 8 * id.x + vec4u(0, 1, 2, 3);
  x[i] = select(vec4f(), w[0], columns < vec4u(WIDTH));
  x[i + 1] = select(vec4f(), w[1], columns + 4 < vec4u(WIDTH));
}
