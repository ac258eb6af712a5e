/// For inputs without a norm: see gather-norm.wgsl.
fn gather_gain(k: u32, column: u32) {}
