/// 32 codes of a row.
struct Bytes32 { low: vec4u, high: vec4u }

/// The sum of the products of 16 signed bytes.
fn dot16(a: vec4u, b: vec4u) -> i32 {
  return dot4I8Packed(a.x, b.x) + dot4I8Packed(a.y, b.y) + dot4I8Packed(a.z, b.z) + dot4I8Packed(a.w, b.w);
}
