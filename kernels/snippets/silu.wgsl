/// silu(v) = v / (1 + e^-v); 0 if e^-v overflows.
fn silu(v: f32) -> f32 { return select(v / (1 + exp(-v)), 0.0, v < -88); }
