// The gain of RMSNorm in the same order, so that a kernel that folds the norm in reads both alike.
@group(0) @binding(1) var<storage, read> gain: array<f32>;                 // [STRIDE]
@group(0) @binding(4) var<storage, read_write> gathered_gain: array<f32>;  // [STRIDE]

fn gather_gain(k: u32, column: u32) { gathered_gain[k] = gain[column]; }
