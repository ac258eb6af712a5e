/// Eight consecutive entries of an input row, and sums of columns j and j + 4.
struct Input8 { values: mat2x4f, sum: vec4f }

/// Products are added by fma: it leaves a compiler nothing to contract, so a sum has the same bits in every
/// pipeline that makes it.
fn dot8(a: mat2x4f, b: mat2x4f) -> f32 {
  let low = fma(a[0].w, b[0].w, fma(a[0].z, b[0].z, fma(a[0].y, b[0].y, a[0].x * b[0].x)));
  return fma(a[1].w, b[1].w, fma(a[1].z, b[1].z, fma(a[1].y, b[1].y, fma(a[1].x, b[1].x, low))));
}

fn total4(v: vec4f) -> f32 { return (v.x + v.y) + (v.z + v.w); }
