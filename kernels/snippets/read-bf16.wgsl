// The f32 bits of entry i of `raw`, bf16 in pairs. A bf16 is an f32 without its lower half.
fn read_bits(i: u32) -> u32 { return (raw[i / 2] >> (16 * (i % 2))) << 16; }
