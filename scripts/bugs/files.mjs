// Bugs of what reads files and text: checkpoints, tokenizer, templates.
import { engine } from "./tests.mjs";

/** @type {Readonly<Record<string, import("./tests.mjs").Bug>>} */
export const filesBugs = {
  "a download is given up because the machine slept": {
    file: "weights/sources/http.ts",
    from: "if (patient && ",
    to: "if (!patient && ",
    test: ["test/weights/source-http.test.ts", "-t", "a sleep of the machine"],
  },
  "a token loses U+FEFF at its beginning": {
    file: "weights/gguf/cursor.ts",
    from: "start + length), true)",
    to: "start + length))",
    test: ["test/weights/gguf.test.ts", "-t", "a token that begins with"],
  },
  "pieces of a tokenizer.model are merged in the order of their ids": {
    file: "weights/vocabulary/sentencepiece.ts",
    from: "pieces.sort((a, b) => score(b) - score(a) || a - b);",
    to: "",
    test: ["test/weights/other-vocabulary.test.ts", "-t", "tokenizer.model.v3"],
  },
  "a separate lm_head is ignored": {
    file: "weights/safetensors/reader.ts",
    from: "const config = head ? { ...declared, tied: false } : declared;",
    to: "const config = declared; shards = { ...shards, tensors: new Map([...shards.tensors].filter(([name]) => !head || name !== lmHead)) };",
    test: engine("mended", "a separate lm_head makes"),
  },
  "an unknown tensor of a layer is ignored": {
    file: "weights/safetensors/reader.ts",
    from: "for (const tensor of others) refuseUnknown(tensor, config);",
    to: "",
    test: ["test/weights/mended-checkpoints.test.ts", "-t", "a norm of queries"],
  },
  "a weight that is NaN loads, and every answer is token 0": {
    file: "weights/rows.ts",
    from: "if (wrong >= 0) {",
    to: "if (wrong > Infinity) {",
    test: engine("broken", "a weight that is not a number"),
  },
  "GGUF: rows of q and k stay interleaved": {
    file: "weights/gguf/rows.ts",
    from: "row - inHead + (inHead >> 1) + (inHead & 1) * (d / 2)",
    to: "row",
    test: engine("gguf", "ministral3_yarn"),
  },
  "GGUF: the scales of Q4_K's last sub-blocks take their upper bits from the minima": {
    file: "weights/gguf/blocks.ts",
    from: "byte(j - 4) >> 6",
    to: "byte(j) >> 6",
    test: ["test/weights/gguf.test.ts", "-t", "every value"],
  },
  "GGUF: the upper bits of Q6_K from a neighbouring quarter": {
    file: "weights/gguf/blocks.ts",
    from: ">> (2 * q)",
    to: ">> (2 * (q ^ 1))",
    test: ["test/weights/gguf.test.ts", "-t", "every value"],
  },
  "GGUF: tensors begin at the alignment that most files have": {
    file: "weights/gguf/header.ts",
    from: "alignmentOf(metadata, file)",
    to: "alignmentOf(new Map(), file)",
    test: engine("gguf", "written as GGUF"),
  },
  "GGUF: queries are not scaled by their position": {
    file: "weights/gguf/config.ts",
    from: "real(TEMPERATURE) || undefined",
    to: "undefined",
    test: engine("gguf", "ministral3_yarn"),
  },
  "GGUF: YaRN without its multiplier": {
    file: "weights/gguf/config.ts",
    from: "real(LOG_MULTIPLIER) || undefined",
    to: "undefined",
    test: engine("gguf", "ministral3_yarn"),
  },
  "capped logits are ignored": {
    file: "weights/config.ts",
    from: "if (fields.given(cap)) throw",
    to: "if (cap === undefined) throw",
    test: ["test/weights/config.test.ts", "-t", "softcapping"],
  },
  "GPTQ: a stored zero of 15 is read as 16": {
    file: "weights/safetensors/quantised/gptq.ts",
    from: "+ ones) >>> (bits * (n % perWord))) & mask",
    to: ">>> (bits * (n % perWord))) & mask) + (ones & 1)",
    test: ["test/weights/quantised.test.ts", "-t", "gptq_4bit_asym"],
  },
  "GPTQ: act-order is ignored where weights are decoded": {
    file: "weights/safetensors/quantised/rows.ts",
    from: "groups.index ? groups.index[k]! : Math.floor(k / group)",
    to: "Math.floor(k / group)",
    test: ["test/weights/quantised.test.ts", "-t", "columns that do not sort"],
  },
  "a quantised matrix's bias is refused in a model that has biases": {
    file: "weights/safetensors/quantised/quantised-checkpoint.ts",
    from: "(vectors.has(name) ? undefined : ",
    to: "(vectors.size === 0 ? undefined : ",
    test: ["test/weights/quantised.test.ts", "-t", "a model that has biases"],
  },
  "GPTQ: codes in act-order are not sorted by group": {
    file: "weights/safetensors/quantised/rows.ts",
    from: "if (columns) sortCodes(",
    to: "if (columns && rows < 0) sortCodes(",
    test: ["test/weights/quantised.test.ts", "-t", "desc_act"],
  },
  "GPTQ: rows of gate_proj and up_proj stay in order although down_proj's columns do not": {
    file: "weights/safetensors/quantised/loaded-as.ts",
    from: "{ ...at(name), rows: order }",
    to: "at(name)",
    test: engine("act-order", "one order for q"),
  },
  "of parts of a file that are read at once, the last is cached": {
    file: "weights/sources/cached.ts",
    from: "(this.#files.get(file) ?? cached).parts",
    to: "cached.parts",
    test: ["test/weights/cached-source.test.ts", "-t", "are read to open"],
  },
  "FP8: the rows of a block are those of the matrix, divided evenly": {
    file: "weights/safetensors/quantised/fp8.ts",
    from: "Math.floor(n / rows)",
    to: "Math.floor(n / Math.ceil(N / Math.ceil(N / rows)))",
    test: ["test/weights/quantised.test.ts", "-t", "fp8_block_128"],
  },
  "a quantised matrix ends in codes that are not zeros": {
    file: "weights/safetensors/quantised/codes.ts",
    from: "  pad(matrix, words, width, zero);",
    to: "",
    test: ["test/weights/quantised.test.ts", "-t", "ct_w4a16_channel"],
  },
  "invalid UTF-8 is accepted": {
    file: "weights/utf8.ts",
    from: "{ fatal: true, ignoreBOM }",
    to: "{ fatal: false, ignoreBOM }",
    test: ["test/weights/utf8.test.ts", "-t", "is refused"],
  },
  "an added token found within a word": {
    file: "tokenizer/added-tokens.ts",
    from: "!token.singleWord ||",
    to: "token.singleWord || true ||",
    test: ["test/tokenizer/huggingface.test.ts"],
  },
  "a template without a budget": {
    file: "tokenizer/template/meter.ts",
    from: "if (!(this.#left >= 0)) {",
    to: "if (this.#left > Infinity) {",
    test: ["test/tokenizer/hostile-templates.test.ts"],
  },
  "a hash forgets the bytes before": {
    file: "weights/integrity/file-check.ts",
    from: "state && { state, length: end }",
    to: "undefined",
    test: ["test/weights/file-check.test.ts", "-t", "cut off after"],
  },
  "what is read in the middle of a file before its tensors is not stored": {
    file: "weights/sources/cached.ts",
    from: "if (!this.#frozen && bytes.length > 0) {",
    to: "if (!this.#frozen && bytes.length > 0 && (part || start === 0)) {",
    test: ["test/weights/cached-source.test.ts", "-t", "is never read again"],
  },
  "a stored tensor ends the hash that the tensor before it waits for": {
    file: "weights/integrity/file-check.ts",
    from: "if (close) this.#state.then(close, close);",
    to: "close?.();",
    test: ["test/weights/file-check.test.ts", "-t", "though the hash is slow"],
  },
};
