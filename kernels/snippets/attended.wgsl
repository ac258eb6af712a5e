// What attention writes in a decode step: the result of a head, or that of a part for attention_combine.
// [T, OUT_STRIDE] as [H, d] with one part; else [T, H, SPLITS, 2 + d]: max, sum, sum · out.
@group(0) @binding(3) var<storage, read_write> out: array<f32>;

/// Columns 4c … 4c + 3 of values weighted by exp(score - max), and the sum of these weights.
fn write4(t: u32, head: u32, part: u32, c: u32, total: vec4f, sum: f32) {
  for (var i = 4 * c; i < min(4 * c + 4, d); i++) {
    if (SPLITS == 1) {
      out[t * OUT_STRIDE + head * d + i] = total[i % 4] / sum;
    } else {
      out[((t * H + head) * SPLITS + part) * (d + 2) + 2 + i] = total[i % 4];
    }
  }
}

/// The largest score of a part, and the sum of its weights.
fn write_weight(t: u32, head: u32, part: u32, largest: f32, sum: f32) {
  if (SPLITS == 1) { return; }
  let at = ((t * H + head) * SPLITS + part) * (d + 2);
  out[at] = largest;
  out[at + 1] = sum;
}
