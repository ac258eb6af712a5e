// Bugs of LoRA adapters.
import { engine, kernel } from "./tests.mjs";

/** @type {Readonly<Record<string, import("./tests.mjs").Bug>>} */
export const adapterBugs = {
  "an adapter continues what another has cached": {
    file: "engine/graph/adapter-use.ts",
    from: "adapter === b[i]?.adapter && scale === b[i]?.scale",
    to: "scale === b[i]?.scale",
    test: engine("adapters", "not used by another"),
  },
  "a scale of an adapter continues what another scale has cached": {
    file: "engine/graph/adapter-use.ts",
    from: " && scale === b[i]?.scale",
    to: "",
    test: engine("adapters", "not used by another"),
  },
  "only the first of several adapters is used": {
    file: "kernels/lora-b.wgsl",
    from: "i < count",
    to: "i < 1u",
    test: kernel("lora_b_addend"),
  },
  "the squares of the input are counted again for each adapter": {
    file: "kernels/snippets/lora-input-norm.wgsl",
    from: "  squares_seen = 0;\n",
    to: "",
    test: kernel("lora_a_norm"),
  },
  "adapters in another order do not continue what is cached": {
    file: "engine/graph/adapter-use.ts",
    from: ".toSorted((a, b) => place(a) - place(b))",
    to: "",
    test: engine("adapters", "in any order"),
  },
  "an adapter that adds nothing is kept apart in the cache": {
    file: "engine/graph/adapter-use.ts",
    from: ".filter(({ scale }) => scale !== 0)",
    to: "",
    test: engine("adapters", "in any order"),
  },
  "an adapter's scale is left out": {
    file: "engine/adapters/stack.ts",
    from: "= scale * part.b[",
    to: "= part.b[",
    test: engine("adapters", "patterns"),
  },
  "v reads the product of q's A": {
    file: "engine/adapters/stack.ts",
    from: "stacked.blocks.fill(roles.indexOf(role), at, at + count)",
    to: "stacked.blocks.fill(0, at, at + count)",
    test: engine("adapters", "qv"),
  },
  "a row without an adapter gets another's delta": {
    file: "kernels/lora-b.wgsl",
    from: "put_none(t, n);",
    to: "",
    test: kernel("lora_b_addend"),
  },
  "DoRA's norms are those of the weights alone": {
    file: "kernels/dora-gain.wgsl",
    from: "m < R",
    to: "m < 0u",
    test: engine("adapters", "dora"),
  },
  "adapters are not put on the device after a loss": {
    file: "engine/resident/gpu-model.ts",
    from: "await adapters?.restore(gpuModel);",
    to: "",
    test: engine("adapters", "lost device"),
  },
  "an adapter of weights in act-order keeps the order of the file": {
    file: "engine/adapters/add.ts",
    from: "sorted(opened, checkpoint.quantised?.hiddenOrderOf)",
    to: "sorted(opened, undefined)",
    test: engine("adapters", "act-order"),
  },
  "a packed file does not say the order of feed-forward entries": {
    file: "weights/safetensors/mixed-formats.ts",
    from: "order ?? inOrder",
    to: "inOrder",
    test: engine("adapters", "act-order"),
  },
  "DoRA divides by the norm of a row of zeros": {
    file: "kernels/dora-gain.wgsl",
    from: "total > 0.0",
    to: "true",
    test: engine("adapters", "a row of zeros stays"),
  },
  "a call begins with an adapter that is being removed": {
    file: "engine/adapters/add.ts",
    from: "adapters.calls.delete(removed);",
    to: "",
    test: engine("adapters", "removed while calls begin"),
  },
  "labels are compared without their adapter": {
    file: "engine/guard/classify.ts",
    from: "ring.use(mix, decoder)",
    to: "ring.use(undefined, decoder)",
    test: engine("classify", "with an adapter"),
  },
  "an adapter is removed under a call": {
    file: "engine/adapters/add.ts",
    from: "if (calls === 0) return",
    to: "if (calls >= 0) return",
    test: engine("adapters", "not while a call uses it"),
  },
};
