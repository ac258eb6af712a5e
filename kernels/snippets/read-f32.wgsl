// The f32 bits of entry i of `raw`, f32.
fn read_bits(i: u32) -> u32 { return raw[i]; }
