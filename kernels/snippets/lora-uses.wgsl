// The adapters of a token: those of its sequence, by ring. A row is: id, position, ring, tokens in this pass.
// A ring has their count, then slot and bits of the scale of each.
@group(0) @binding(2) var<storage, read> rows: array<vec4u>;  // [T]
@group(0) @binding(3) var<storage, read> uses: array<vec2u>;  // [rings, USE_STRIDE]

override MAX_TOGETHER: u32;  // adapters of a token
override USE_STRIDE: u32;    // one more

fn adapter_count(t: u32) -> u32 { return uses[rows[t].z * USE_STRIDE].x; }
fn adapter_slot(t: u32, i: u32) -> u32 { return uses[rows[t].z * USE_STRIDE + 1 + i].x; }
fn adapter_scale(t: u32, i: u32) -> f32 { return bitcast<f32>(uses[rows[t].z * USE_STRIDE + 1 + i].y); }
