// WGSL files of variants that software drivers do not run, and no small model unless a tuner chose them or
// the adapter is a GPU. The browser's bundle has them in a chunk of their own, which `tunedShader` loads.

export { default as attention } from "./attention.wgsl?raw";
export { default as attentionTeams } from "./attention-teams.wgsl?raw";
export { default as matmulBroadcast } from "./matmul-broadcast.wgsl?raw";
export { default as matmulInt8 } from "./matmul-int8.wgsl?raw";
export { default as quantizeInput } from "./quantize-input.wgsl?raw";
export { default as broadcast } from "./snippets/broadcast.wgsl?raw";
export { default as dotRowsWide } from "./snippets/dot-rows-wide.wgsl?raw";
export { default as dot16 } from "./snippets/dot16.wgsl?raw";
export { default as dot32 } from "./snippets/dot32.wgsl?raw";
export { default as inputWide } from "./snippets/input-wide.wgsl?raw";
export { default as ownKeys } from "./snippets/own-keys.wgsl?raw";
export { default as quantizeNorm } from "./snippets/quantize-norm.wgsl?raw";
export { default as quantizePlain } from "./snippets/quantize-plain.wgsl?raw";
export { default as stream } from "./snippets/stream.wgsl?raw";
export { default as streamInt8 } from "./snippets/stream-int8.wgsl?raw";
export { default as teamSubgroup } from "./snippets/team-subgroup.wgsl?raw";
export { default as teamWarp } from "./snippets/team-warp.wgsl?raw";
export { default as tileF16 } from "./snippets/tile-f16.wgsl?raw";
