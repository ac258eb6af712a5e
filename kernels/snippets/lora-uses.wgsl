// The adapter of a token: that of its sequence, by ring. A row is: id, position, ring, tokens in this pass.
@group(0) @binding(2) var<storage, read> rows: array<vec4u>;  // [T]
@group(0) @binding(3) var<storage, read> uses: array<vec2u>;  // [rings] slot, bits of the scale

const NO_ADAPTER = 0xffffffffu;

fn adapter_slot(t: u32) -> u32 { return uses[rows[t].z].x; }
fn adapter_scale(t: u32) -> f32 { return bitcast<f32>(uses[rows[t].z].y); }
