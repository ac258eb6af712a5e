// Tiles of f32.
alias element = f32;

fn tile4(v: vec4f) -> vec4f { return v; }
