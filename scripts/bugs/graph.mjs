// Bugs of the forward pass: kernels, shapes and what a pass is given.
import { engine, kernel } from "./tests.mjs";

/** @type {Readonly<Record<string, import("./tests.mjs").Bug>>} */
export const graphBugs = {
  "rope pairs interleaved": {
    file: "kernels/qkv.wgsl",
    from: "pair % (d / 2) + select(0, d / 2, r >= 2)",
    to: "2 * (pair % (d / 2)) + select(0, 1, r >= 2)",
    test: kernel("qkv_q4"),
  },
  "a bias entry added to the wrong half of a rotation pair": {
    file: "kernels/qkv.wgsl",
    from: "t, column + d / 2",
    to: "t, column + 1",
    test: kernel("qkv_q4_.*(bias|delta)"),
  },
  "rope turns the other way": {
    file: "kernels/snippets/rope.wgsl",
    from: "pair.x * a.x - pair.y * a.y, pair.y * a.x + pair.x * a.y",
    to: "pair.x * a.x + pair.y * a.y, pair.y * a.x - pair.x * a.y",
    test: kernel("rope_cache"),
  },
  "products of f16 tiles in f16": {
    file: "kernels/matmul.wgsl",
    from: "dot(w, vec4f(x_tile[k4 * 64 + local.y])),",
    to: "f32(dot(w_tile[k4 * 64 + local.x + 16 * j], x_tile[k4 * 64 + local.y])),",
    test: ["test/kernels/outliers.test.ts", "-t", "tile_f16"],
  },
  "padding sampled at a high temperature": {
    file: "kernels/sampling.ts",
    from: "/ temperature, 1e-10)",
    to: "/ temperature, 1e-30)",
    test: ["test/kernels/sample.test.ts", "-t", "random logits"],
  },
  "an empty prompt is accepted": {
    file: "engine/graph/prompt-ids.ts",
    from: "if (ids.length === 0)",
    to: "if (ids.length < 0)",
    test: engine("prompts", "without tokens"),
  },
  "ids past the embedding are accepted": {
    file: "engine/graph/prompt-ids.ts",
    from: "id >= 0 && id < V) continue",
    to: "id >= 0) continue",
    test: engine("prompts", "without an embedding"),
  },
  "logits of the sequence that ran before are sampled": {
    file: "engine/graph/held-rows.ts",
    from: "if (!held || !isSame(held, { ring, position }))",
    to: "if (!held)",
    test: engine("prompts", "only computed logits"),
  },
  "ring one slot short": {
    file: "engine/graph/shape.ts",
    from: "W + chunkLength - 1 + STEPS_IN_FLIGHT",
    to: "W + chunkLength - 2",
    test: engine("chunks", "window_7"),
  },
  "window one too wide": {
    file: "kernels/snippets/ring.wgsl",
    from: "min(p + 1, W)",
    to: "min(p + 1, W + 1)",
    test: engine("families", "window_7"),
  },
  "window one too narrow": {
    file: "kernels/snippets/ring.wgsl",
    from: "min(p + 1, W)",
    to: "min(p + 1, max(W, 2) - 1)",
    test: engine("families", "window_7"),
  },
  "query heads interleaved over key heads": {
    file: "kernels/attention-lane.wgsl",
    from: "h / M",
    to: "h % G",
    test: engine("families", "gqa_4x2"),
  },
  "attention shown for another key head": {
    file: "kernels/attention-weights.wgsl",
    from: "h / M",
    to: "h % G",
    test: engine("inspect", "gqa_4x2"),
  },
  "scale of the neighbouring group": {
    file: "kernels/formats/q4.wgsl",
    from: "(k8 & 4) != 0",
    to: "(k8 & 4) == 0",
    test: kernel("matvec_q4"),
  },
  "scale of the neighbouring group in the cache": {
    file: "kernels/cache-formats/cache-q8.wgsl",
    from: "VECTORS + c / 8]",
    to: "VECTORS + (c / 8 ^ 1)]",
    test: kernel("attention_lane_q8"),
  },
  "newest key and value missing from the ring": {
    file: "kernels/snippets/store-newest.wgsl",
    from: "2 * UNITS, arrayLength",
    to: "UNITS, arrayLength",
    test: kernel("attention_lane_f32"),
  },
  "naga panics at a workgroup array whose length is computed from an override": {
    file: "kernels/attention.wgsl",
    from: "query: array<vec4f, QUERY_LENGTH>",
    to: "query: array<vec4f, HEADS * VECTORS>",
    test: ["test/kernels/wgsl.cpu.test.ts", "-t", "no override and no length"],
  },
  "a short context rounds otherwise beside a long one": {
    file: "kernels/snippets/parts.wgsl",
    from: "if (visible <= ONE_PART) { return ONE_PART; }",
    to: "",
    test: ["test/kernels/attention-parts.test.ts"],
  },
  "newest value read before it is rounded": {
    file: "kernels/attention-lane.wgsl",
    from: "cached4(ring.values + slot, c) *",
    to: "select(cached4(ring.values + slot, c), fresh4(t, H + G + h / M, c), STORE && i == p - first) *",
    test: engine("chunks", "token by token"),
  },
  "last chunk treated as full": {
    file: "engine/graph/decoder.ts",
    from: "(T - 1) * rowBytes",
    to: "(this.shape.chunkLength - 1) * rowBytes",
    test: engine("families", "one_layer"),
  },
  "last row of a part lost": {
    file: "kernels/embed.wgsl",
    from: "token >= N0 + N",
    to: "token + 1 >= N0 + N",
    test: engine("split", "prefill"),
  },
  "a part multiplied in another part's format": {
    file: "engine/graph/forward.ts",
    from: "kernel(part.format),",
    to: "kernel(matrix[0]!.format),",
    test: engine("mixed-formats", "variant runs for the formats"),
  },
  "gate and up in the less exact of their formats": {
    file: "engine/graph/layout.ts",
    from: "bytesPerRow(b, 1) > bytesPerRow(a, 1)",
    to: "bytesPerRow(b, 1) < bytesPerRow(a, 1)",
    test: engine("mixed-formats", "the plan counts"),
  },
  "rows copied to the start of a buffer": {
    file: "engine/resident/chunk-writer.ts",
    from: "size.row0 * (piece.byteLength / R)",
    to: "0 * R",
    test: engine("readers", "is re-packed"),
  },
  "gate and up swapped": {
    file: "engine/graph/layout.ts",
    from: "tensor, row, rows, at: i * rows",
    to: "tensor, row, rows, at: (1 - i) * rows",
    test: engine("families", "one_layer"),
  },
  "scheduler: a whole text is scored in one step": {
    file: "engine/graph/decoder.ts",
    from: "if (at > 0) yield;\n      signal?.throwIfAborted();\n      const chunk",
    to: "signal?.throwIfAborted();\n      const chunk",
    test: engine("scheduler", "a long text"),
  },
  "scheduler: a copy of the wrong range": {
    file: "engine/graph/decoder.ts",
    from: "start % this.shape.S, count]",
    to: "(start + 20) % this.shape.S, count]",
    test: engine("scheduler", "400 tokens"),
  },
  "norm without its epsilon": {
    file: "kernels/snippets/input-norm.wgsl",
    from: "f32(D) + EPS",
    to: "f32(K)",
    test: kernel("matvec_norm_q4"),
  },
};
