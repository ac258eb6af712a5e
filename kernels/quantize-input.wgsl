// codes[t, k] = round(v[k] / s), v[k] = x[t, k] (* gain[k]), s = max |v| / 127 of each 32 columns: the input
// of products of bytes. Their scale is s times the factor of the row. One thread per group of 32 columns. A
// snippet defines `input8` and `row_factor`.
override K: u32;          // stored width of a row, a multiple of 32
override EVEN_ODD: bool;  // order of each 8 columns: 0 2 4 6, 1 3 5 7, where q4's masked nibbles meet them

@group(0) @binding(2) var<storage, read_write> codes: array<vec4u>;   // [T, K/16], four signed bytes a word
@group(0) @binding(3) var<storage, read_write> groups: array<vec2u>;  // [T, K/32] f32 scale, f32 sum of codes

/// A group whose values are smaller is zero: 127 / value would overflow.
const SMALLEST = 1e-30;
const INFINITY_BITS = 0x7f800000u;
const QUIET_BIT = 0x00400000u;

@compute @workgroup_size(THREADS)
fn quantize_input(@builtin(global_invocation_id) id: vec3u, @builtin(local_invocation_index) thread: u32) {
  let g = id.x;
  let t = id.y;
  let of_row = row_factor(t, thread);
  if (g >= K / 32) { return; }
  let v0 = input8(t, 4 * g);
  let v1 = input8(t, 4 * g + 1);
  let v2 = input8(t, 4 * g + 2);
  let v3 = input8(t, 4 * g + 3);
  let bits4 = max(max(magnitudes(v0), magnitudes(v1)), max(magnitudes(v2), magnitudes(v3)));
  let bits = max(max(bits4.x, bits4.y), max(bits4.z, bits4.w));
  let finite = bits < INFINITY_BITS;
  let largest = bitcast<f32>(select(0, bits, finite));
  let factor = select(0.0, 127 / max(largest, SMALLEST), largest >= SMALLEST);

  let low = vec4u(codes8(v0, factor), codes8(v1, factor));
  let high = vec4u(codes8(v2, factor), codes8(v3, factor));
  codes[(t * (K / 32) + g) * 2] = low;
  codes[(t * (K / 32) + g) * 2 + 1] = high;
  let sums = vec4i(sum8(low.xy), sum8(low.zw), sum8(high.xy), sum8(high.zw));
  let sum = f32(sums.x + sums.y + sums.z + sums.w);
  // The scale of a group with an infinity or NaN is NaN, and so are the products with it.
  let usable = select(0.0, largest / 127 * of_row, factor != 0);
  let scale = select(bits | QUIET_BIT, bitcast<u32>(usable), finite);
  groups[t * (K / 32) + g] = vec2u(scale, bitcast<u32>(sum));
}

/// Bits of |v|, which compare as the values do. Infinity and NaN are larger than any number, on drivers too
/// that assume there are none.
fn magnitudes(v: mat2x4f) -> vec4u {
  return max(bitcast<vec4u>(v[0]) & vec4u(0x7fffffff), bitcast<vec4u>(v[1]) & vec4u(0x7fffffff));
}

fn codes8(v: mat2x4f, factor: f32) -> vec2u {
  let a = vec4i(round(v[0] * factor));
  let b = vec4i(round(v[1] * factor));
  let natural = vec2u(pack4xI8Clamp(a), pack4xI8Clamp(b));
  let even_odd = vec2u(pack4xI8Clamp(vec4i(a.xz, b.xz)), pack4xI8Clamp(vec4i(a.yw, b.yw)));
  return select(vec2u(0), select(natural, even_odd, EVEN_ODD), factor != 0);
}

fn sum8(codes: vec2u) -> i32 {
  return dot4I8Packed(codes.x, 0x01010101) + dot4I8Packed(codes.y, 0x01010101);
}
