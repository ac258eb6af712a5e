// Known kinds of bugs, as edits that put each of them back, and the test that must fail then: for `npm run prove`.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./setup.mjs";

/** @typedef {{ file: string, from: string, to: string, test: string[] }} Bug */

const kernel = (/** @type {string} */ name) => ["test/kernels/contract.test.ts", "-t", `^${name}`];
const engine = (/** @type {string} */ file, /** @type {string[]} */ ...name) => [
  `test/engine/${file}.test.ts`,
  ...name.flatMap((text) => ["-t", text]),
];

const server = (/** @type {string} */ file, /** @type {string} */ name) => [
  `test/server/${file}.cpu.test.ts`,
  "-t",
  name,
];
const load = (/** @type {string} */ name) => ["test/server/load.cpu.test.ts", "-t", name];

/** @type {Readonly<Record<string, Bug>>} */
export const bugs = {
  "rope pairs interleaved": {
    file: "kernels/qkv.wgsl",
    from: "pair % (d / 2) + select(0, d / 2, r >= 2)",
    to: "2 * (pair % (d / 2)) + select(0, 1, r >= 2)",
    test: kernel("qkv_q4"),
  },
  "rope turns the other way": {
    file: "kernels/snippets/rope.wgsl",
    from: "pair.x * a.x - pair.y * a.y, pair.y * a.x + pair.x * a.y",
    to: "pair.x * a.x + pair.y * a.y, pair.y * a.x - pair.x * a.y",
    test: kernel("rope_cache"),
  },
  "all that a connection pipelines at once": {
    file: "server/one-at-a-time.ts",
    from: "await before;",
    to: "",
    test: server("many", "one request at work"),
  },
  "a reader that only sends": {
    file: "server/reader-watch.ts",
    from: "if (pending === 0 || taken !== before)",
    to: "if (taken !== before + pending)",
    test: server("many", "goes on sending"),
  },
  "a head of its own left out": {
    file: "weights/checkpoint.ts",
    from: "const config = head ? { ...declared, tied: false } : declared;",
    to: "const config = declared; shards = { ...shards, tensors: new Map([...shards.tensors].filter(([name]) => !head || name !== lmHead)) };",
    test: engine("mended", "a head of its own"),
  },
  "a tensor among the graph's own left out": {
    file: "weights/checkpoint.ts",
    from: "for (const tensor of others) refuseUnknown(tensor, config);",
    to: "",
    test: ["test/weights/mended-checkpoints.test.ts", "-t", "a norm of queries"],
  },
  "text that is no UTF-8": {
    file: "weights/utf8.ts",
    from: "{ fatal: true }",
    to: "{ fatal: false }",
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
  "a long text in one go": {
    file: "engine/slices.ts",
    from: "if (performance.now() < until) continue;",
    to: "if (until > 0) continue;",
    test: ["test/server/event-loop.cpu.test.ts", "-t", "a text for its tokens"],
  },
  "a prompt of no token": {
    file: "engine/graph/prompt-ids.ts",
    from: "if (ids.length === 0)",
    to: "if (ids.length < 0)",
    test: engine("prompts", "no token at all"),
  },
  "ids past the embedding": {
    file: "engine/graph/prompt-ids.ts",
    from: "id >= 0 && id < V) continue",
    to: "id >= 0) continue",
    test: engine("prompts", "no embedding of"),
  },
  "logits of whoever ran before": {
    file: "engine/graph/held-rows.ts",
    from: "if (!held || !isSame(held, { ring, position }))",
    to: "if (!held)",
    test: engine("prompts", "computed for that sequence"),
  },
  "an option that there is not is taken": {
    file: "engine/options/check.ts",
    from: "else throw unknownOption(",
    to: "else void unknownOption(",
    test: engine("options.cpu", "unknown options"),
  },
  "the token that ends an answer is not listed": {
    file: "engine/answer/answer-text.ts",
    from: "const logProb = drawn && this.#logProb(drawn);",
    to: "const logProb = drawn && undefined;",
    test: engine("answer-text.cpu", "ends an answer is listed"),
  },
  "the tokenizer's end is dropped": {
    file: "engine/model.ts",
    from: "new Set([...eosTokenIds, ...own])",
    to: "new Set(eosTokenIds.length > 0 ? eosTokenIds : own)",
    test: engine("prompts", "calls the end"),
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
  "query heads dealt to key heads in turn": {
    file: "kernels/attention-lane.wgsl",
    from: "h / M",
    to: "h % G",
    test: engine("families", "gqa_4x2"),
  },
  "attention shown of another key head": {
    file: "kernels/attention-weights.wgsl",
    from: "h / M",
    to: "h % G",
    test: engine("inspect", "gqa_4x2"),
  },
  "a look takes the cache": {
    file: "engine/model.ts",
    from: "const held = ring.holds(checked);",
    to: "const held = false;",
    test: engine("inspect", "after a look"),
  },
  "scale of the neighbouring group": {
    file: "kernels/formats/q4.wgsl",
    from: "(k8 & 4) != 0",
    to: "(k8 & 4) == 0",
    test: kernel("matvec_q4"),
  },
  "scale of the neighbouring group in the cache": {
    file: "kernels/cache-formats/q8.wgsl",
    from: "VECTORS + c / 8]",
    to: "VECTORS + (c / 8 ^ 1)]",
    test: kernel("attention_lane_q8"),
  },
  "newest key and value left out of the ring": {
    file: "kernels/snippets/store-newest.wgsl",
    from: "2 * UNITS, arrayLength",
    to: "UNITS, arrayLength",
    test: kernel("attention_lane_f32"),
  },
  "newest value read before it is rounded": {
    file: "kernels/attention-lane.wgsl",
    from: "cached4(ring.values + slot, c) *",
    to: "select(cached4(ring.values + slot, c), fresh4(t, H + G + h / M, c), STORE && i == p - first) *",
    test: engine("chunks", "token by token"),
  },
  "last chunk taken for a full one": {
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
  "gate and up swapped": {
    file: "engine/graph/layout.ts",
    from: "{ tensor: names.gateProj, row, rows, at: 0 },",
    to: "{ tensor: names.gateProj, row, rows, at: rows }, { tensor: names.upProj, row, rows, at: 0 },",
    test: engine("families", "one_layer"),
  },
  "keys reused that have rolled out": {
    file: "engine/scheduler/ring-state.ts",
    from: "position - this.#window + 1) >= this.oldest",
    to: "position - this.#window + 1) >= 0",
    test: engine("chunks", "rolled out"),
  },
  "steps past a stop not taken back": {
    file: "engine/scheduler/ring-state.ts",
    from: "Math.max(this.#written, end)",
    to: "this.#ids.length",
    test: engine("chunks", "rolled out"),
  },
  "what was written past a prompt forgotten": {
    file: "engine/model.ts",
    from: "ring.begin(checked, start);",
    to: "ring.begin(checked, 0);",
    test: engine("chunks", "does not forget"),
  },
  "batch: who joins or leaves does not change the rows": {
    file: "engine/scheduler/step-planner.ts",
    from: "if (!same(members, this.#arranged)) {",
    to: "if (this.#arranged.length === 0) {",
    test: engine("batch", "whoever joins"),
  },
  "batch: a whole prompt at a time": {
    file: "engine/scheduler/step-planner.ts",
    from: "const stepped = await this.#step(decoder);",
    to: "const stepped = !prefilled && (await this.#step(decoder));",
    test: engine("batch", "does not hold up"),
  },
  "batch: a whole text at a time is scored": {
    file: "engine/graph/decoder.ts",
    from: "if (at > 0) yield;\n      signal?.throwIfAborted();\n      const chunk",
    to: "signal?.throwIfAborted();\n      const chunk",
    test: engine("batch", "nor does a long text"),
  },
  "batch: what was scored before a loss is not scored again": {
    file: "engine/scheduler/exclusive-task.ts",
    from: "if (this.#gpuModel !== gpuModel) {",
    to: "if (!this.#rest) {",
    test: engine("device-loss", "scored while"),
  },
  "batch: a reader is not waited for": {
    file: "engine/scheduler/sequence.ts",
    from: "ahead < STEPS_IN_FLIGHT",
    to: "ahead < Infinity",
    test: engine("batch", "stopped reading"),
  },
  "batch: a copy is taken for whole": {
    file: "engine/scheduler/ring-state.ts",
    from: "this.#written = other.#written;",
    to: "this.#written = length;",
    test: engine("batch", "400 tokens"),
  },
  "batch: a copy of the wrong stretch": {
    file: "engine/graph/decoder.ts",
    from: "start % this.shape.S, count]",
    to: "(start + 20) % this.shape.S, count]",
    test: engine("batch", "400 tokens"),
  },
  "session: a stretch that goes past the last slot is cut": {
    file: "engine/session/ring-bytes.ts",
    from: "{ position: start + untilEnd, length: count - untilEnd },",
    to: "",
    test: engine("session", "goes on in another model"),
  },
  "penalties' counts lost with the device": {
    file: "engine/scheduler/step-planner.ts",
    from: "settings, seed, prompt, answer);",
    to: "settings, seed, prompt);",
    test: engine("device-loss", "sampled: lost"),
  },
  "what decode steps wrote computed again by a prefill": {
    file: "engine/scheduler/ring-state.ts",
    from: "await writer[by](",
    to: "await writer.prefill(",
    test: engine("device-loss", "conversation"),
  },
  "norm without its epsilon": {
    file: "kernels/snippets/input-norm.wgsl",
    from: "f32(D) + EPS",
    to: "f32(K)",
    test: kernel("matvec_norm_q4"),
  },
  "hash forgets what came before": {
    file: "weights/integrity/file-check.ts",
    from: "state && new IncrementalSha256(state, end)",
    to: "undefined",
    test: ["test/weights/file-check.test.ts", "-t", "cut off behind"],
  },
  "worker ahead of its reader without bound": {
    file: "engine/worker/server.ts",
    from: "while (this.#credits === 0",
    to: "while (this.#credits === Infinity",
    test: engine("worker.cpu", "never far ahead"),
  },
  "reader left, generation goes on": {
    file: "engine/worker/server.ts",
    from: "await answer.return();",
    to: "",
    test: engine("worker.cpu", "when its reader leaves"),
  },
  "server: a key of any length that begins alike is let in": {
    file: "server/keys.ts",
    from: "/^Bearer +(\\S+) *$/i",
    to: "/^Bearer +([\\w-]{13})/i",
    test: server("access", "only who sends"),
  },
  "server: figures are open to whoever comes through a proxy": {
    file: "server/status.ts",
    from: "!proxied && ",
    to: "",
    test: server("access", "only who sends"),
  },
  "server: pages of any origin may call": {
    file: "server/app.ts",
    from: "app.use(checkOrigin(service));",
    to: "",
    test: server("access", "pages call only"),
  },
  "server: a place is not given back": {
    file: "server/admission.ts",
    from: "        this.#running--;\n",
    to: "",
    test: server("many", "frees its place"),
  },
  "server: who has gone stays in line": {
    file: "server/admission.ts",
    from: "waiter.starts = waiter.starts.filter((each) => each !== start);",
    to: "",
    test: server("many", "frees its place"),
  },
  "server: a client that left is answered to the end": {
    file: "server/exchange.ts",
    from: 'else client.addEventListener("abort", () => this.leave(), { once: true });',
    to: "",
    test: server("many", "frees its place"),
  },
  "server: a stream is kept without bound": {
    file: "server/sse.ts",
    from: "while (full() && !signal.aborted)",
    to: "while (false)",
    test: server("many", "kept within bounds"),
  },
  "server: who reads nothing is waited for": {
    file: "server/middleware.ts",
    from: "outgoing.destroy();",
    to: "",
    test: server("many", "kept within bounds"),
  },
  "server: nothing is said while a stream waits": {
    file: "server/sse.ts",
    from: 'send(": still here\\n\\n");',
    to: "{}",
    test: server("many", "say that they live"),
  },
  "server: the end does not wait": {
    file: "server/listen.ts",
    from: "await within(drainMs, drained(service));",
    to: "",
    test: server("many", "drains"),
  },
  "server: an error tells of the inside": {
    file: "server/errors.ts",
    from: '"The server failed."',
    to: "String(error)",
    test: server("many", "an error on the way"),
  },
  "server: answers of a request one after another, for a slow reader": {
    file: "engine/apis/merge.ts",
    from: "coming.delete(stream);\n      if (result.done) continue;",
    to: "if (result.done) {\n        coming.delete(stream);\n        continue;\n      }",
    test: engine("merge.cpu", "in turn"),
  },
  "server: deep JSON is parsed": {
    file: "server/body.ts",
    from: "if (deepest > limits.jsonDepth)",
    to: "if (false)",
    test: server("requests", "refused before"),
  },
  "server: a body without a length is read whole": {
    file: "server/body.ts",
    from: "if (length > most) throw tooLarge(most);",
    to: "",
    test: server("requests", "without a length"),
  },
  "Workers AI: reader left, the piece at hand is waited for": {
    file: "engine/apis/workers-ai/stream.ts",
    from: "left.abort(reason);",
    to: "",
    test: engine("workers-ai.cpu", "cancelling ends"),
  },
  "Workers AI: reader left, generation goes on": {
    file: "engine/apis/workers-ai/stream.ts",
    from: "await pieces.return();",
    to: "",
    test: engine("workers-ai.cpu", "cancelling ends"),
  },
  "Workers AI: refusal told after the stream has begun": {
    file: "engine/apis/workers-ai/stream.ts",
    from: "= await pieces.next();",
    to: ";",
    test: engine("workers-ai.cpu", "does not fit rejects"),
  },
  "Workers AI: a model's name leads out of its path": {
    file: "engine/apis/workers-ai/http.ts",
    from: "(\\/[\\w:-][\\w.:-]*)*",
    to: "(\\/[\\w.:-]*)*",
    test: engine("workers-ai-http.cpu", "leads out of its path"),
  },
  "Workers AI: the usual length is refused where it does not fit": {
    file: "server/workers-ai.ts",
    from: "if (asked) return",
    to: "return",
    test: ["test/server/workers-ai.cpu.test.ts", "-t", "cut to the context"],
  },
  "client gone, answer goes on": {
    file: "server/exchange.ts",
    from: "this.#controller.abort(reason);",
    to: "void reason;",
    test: load("a thousand requests"),
  },
  "beginning of a key lets in": {
    file: "server/keys.ts",
    from: "update(key)",
    to: "update(key.slice(0, 8))",
    test: load("only the whole key"),
  },
  "answer kept whole for a reader that stops": {
    file: "server/sse.ts",
    from: "while (full() && !signal.aborted)",
    to: "while (full() && signal.aborted)",
    test: load("a reader that stops"),
  },
  "a request of many answers that keeps the others waiting for all of them": {
    file: "server/admission.ts",
    from: "if (waiter.starts.length > 0) this.#line.push(waiter);\n      start();",
    to: "if (waiter.starts.length > 0) this.#line.unshift(waiter);\n      start();",
    test: server("many", "more prompts than places"),
  },
  "__proto__ as a field that nobody refuses": {
    file: "engine/apis/quiet-fields.ts",
    from: "if (!isInherited(name) && (known",
    to: "if (isInherited(name) || (known",
    test: ["test/engine/request-bodies.cpu.test.ts"],
  },
};

/** Bugs that cannot be put back, since the code has changed since. */
export const staleBugs = () =>
  Object.entries(bugs)
    .filter(([, { file, from }]) => !readFileSync(join(root, file), "utf8").includes(from))
    .map(([name, { file, from }]) => `scripts/bugs.mjs: ${name}: ${file} no longer says "${from}".`);
