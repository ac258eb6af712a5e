// For GPUs. As stream.wgsl, with products of bytes: the input comes from quantize_input, codes under a scale
// for 32 columns, as the weights. A lane multiplies 32 columns of four rows at a time; the loads of its next
// weights are in flight meanwhile. Sums of 32 columns are integers, so exact.
override K: u32;                             // stored width of a row, a multiple of 32

@group(0) @binding(0) var<storage, read> codes: array<vec4u>;   // [T, K/16], four signed bytes a word
@group(0) @binding(1) var<storage, read> groups: array<vec2f>;  // [T, K/32] scale, sum of the codes

/// 32 weights of a row.
struct Strip { codes: Packed32, scale: f32 }

/// As in dot-rows.wgsl.
fn dot_rows(team: u32, block: u32, thread: u32) -> array<RowSums, HELD> {
  let n = computed_rows(team, thread);
  let lane = thread % LANES;
  var sums = array<vec4f, TOKENS>();
  var next = strips(n, lane);
  for (var g = lane; g < K / 32; g += LANES) {
    let now = next;
    next = strips(n, g + LANES);
    let w0 = bytes32(now[0].codes);
    let w1 = bytes32(now[1].codes);
    let w2 = bytes32(now[2].codes);
    let w3 = bytes32(now[3].codes);
    let scales = vec4f(now[0].scale, now[1].scale, now[2].scale, now[3].scale);
    for (var i = 0u; i < TOKENS; i++) {
      let at = token_row(block, i) * (K / 32) + g;
      let x = Bytes32(codes[2 * at], codes[2 * at + 1]);
      let group = groups[at];
      let dots = vec4i(dot_bytes(x, w0), dot_bytes(x, w1), dot_bytes(x, w2), dot_bytes(x, w3));
      sums[i] = fma(vec4f(dots - ZERO_CODE * i32(group.y)) * group.x, scales, sums[i]);
    }
  }
  return array(RowSums(lanes_total(&sums, thread), 1));
}

/// Columns 32*g .. 32*g+31 of four rows. Past the end of a row it reads the last again, for nothing.
fn strips(n: vec4u, g: u32) -> array<Strip, 4> {
  let last = min(g, K / 32 - 1);
  return array(strip(n.x, last), strip(n.y, last), strip(n.z, last), strip(n.w, last));
}

fn strip(n: u32, g: u32) -> Strip { return Strip(packed32(n, g), scale_of(n, g)); }

fn dot_bytes(a: Bytes32, b: Bytes32) -> i32 { return dot16(a.low, b.low) + dot16(a.high, b.high); }
