// weight[row0 + r, k] = stored(raw[r, k]) for k < K0; exact zeros from K0 to the padded width
// One thread per BLOCK columns of a row, which the writer defines: 64 for the two groups of 32 that share a
// word of scales in q8 and q4, more for larger groups.
// Values are passed as f32 bit patterns: a driver may flush subnormal floats and lose the payload of a NaN.
// No overrides: one pipeline serves all tensors of a checkpoint, because quantising ones take long to
// compile.

const THREADS = 64u;

@group(0) @binding(0) var<storage, read> raw: array<u32>;    // [R, K0] as in the file, no gaps
@group(0) @binding(1) var<storage, read> range: array<u32>;  // [4]: row0, R, K0, 0

@compute @workgroup_size(THREADS)
fn convert(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let index = (workgroup.y * workgroups.x + workgroup.x) * THREADS + thread;
  let r = index / blocks();
  if (r < range[1]) { write_block(range[0] + r, index % blocks(), r); }
}

// The f32 bits of raw[r, k].
fn value(r: u32, k: u32) -> u32 {
  if (k >= columns()) { return 0; }
  return read_bits(r * columns() + k);
}

fn columns() -> u32 { return range[2]; }

// Stored columns, a multiple of 32.
fn width() -> u32 { return (range[2] + 31) / 32 * 32; }

fn blocks() -> u32 { return (range[2] + BLOCK - 1) / BLOCK; }
