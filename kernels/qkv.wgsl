// q, k, v = rope(W_qkv norm(x)); q goes to its buffer, k and v into their slot of the ring.
// One workgroup per ROWS/2 rotation pairs (rows i and i + d/2 of a head) of one token t.

override HEADS: u32;          // heads (query, key, value) in this part of the matrix
override HEAD0: u32;          // the first of them

@compute @workgroup_size(THREADS)
fn qkv(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let first = group.x * (ROWS / 2);
  let pairs = HEADS * (d / 2);
  var picked: array<u32, ROWS>;
  for (var r = 0u; r < ROWS / 2; r++) {
    let pair = min(first + r, pairs - 1);
    let row = (pair / (d / 2)) * d + pair % (d / 2);
    picked[2 * r] = row;
    picked[2 * r + 1] = row + d / 2;
  }
  let sums = dot_rows(picked, group.y, thread);
  if (thread > 0) { return; }
  for (var r = 0u; r < ROWS / 2; r++) {
    let pair = first + r;
    if (pair >= pairs) { return; }
    write_pair(group.y, HEAD0 + pair / (d / 2), pair % (d / 2), vec2f(sums[2 * r], sums[2 * r + 1]));
  }
}
