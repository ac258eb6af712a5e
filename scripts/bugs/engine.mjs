// Bugs of the engine around the forward pass: who shares a step, what a ring holds, options, workers.
import { engine } from "./tests.mjs";

/** @type {Readonly<Record<string, import("./tests.mjs").Bug>>} */
export const engineBugs = {
  "the tuner compares the first row only": {
    file: "engine/tuning/output-check.ts",
    from: "row < rows; row++",
    to: "row < 1; row++",
    test: engine("variant-bench", "every output"),
  },
  "the tuner's inputs have no outliers": {
    file: "engine/tuning/tune-matrix.ts",
    from: "inputs: [flat(rows), flat(withOutliers)]",
    to: "inputs: [flat(rows), flat(rows)]",
    test: engine("variant-bench", "every output"),
  },
  "the tuner compares before its batches only": {
    file: "engine/tuning/variant-bench.ts",
    from: "await this.#checkOutputs(variant, rows, sets, (this.#turn - 1) % sets.length);",
    to: "",
    test: engine("variant-bench", "after the first check"),
  },
  "the tuner takes infinity for right": {
    file: "engine/tuning/output-check.ts",
    from: "Math.abs(value) < Infinity && ",
    to: "",
    test: engine("output-check.cpu", "infinite"),
  },
  "a second GPU without a name takes the tuning of the first": {
    file: "engine/tuning/tuning.ts",
    from: "    adapter,\n",
    to: "    [adapter.name, adapter.vendor, adapter.architecture, adapter.driver, adapter.features],\n",
    test: engine("remembered-tuning.cpu", "another adapter"),
  },
  "waits are never nudged": {
    file: "engine/gpu/gpu.ts",
    from: "this.#nudge?.during(work);",
    to: "",
    test: engine("nudge.cpu", "settle nudges"),
  },
  "a queue is nudged when nobody waits": {
    file: "engine/gpu/nudge.ts",
    from: "while (this.#waits > 0 && !this.#lost)",
    to: "while (!this.#lost)",
    test: engine("nudge.cpu", "ends with its work"),
  },
  "nudges wait for the timers of a hidden page": {
    file: "engine/gpu/nudge.ts",
    from: "return this.#throttled ?",
    to: "return false ?",
    test: engine("nudge.cpu", "hidden page"),
  },
  "a long text is tokenized in one slice": {
    file: "engine/slices.ts",
    from: "if (performance.now() < until) continue;",
    to: "if (until > 0) continue;",
    test: ["test/server/event-loop.cpu.test.ts", "-t", "a text for its tokens"],
  },
  "an unknown option is accepted": {
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
  "the tokenizer's end-of-sequence token is ignored": {
    file: "engine/model.ts",
    from: "new Set([...eosTokenIds, ...own])",
    to: "new Set(eosTokenIds.length > 0 ? eosTokenIds : own)",
    test: engine("prompts", "calls the end"),
  },
  "inspecting invalidates the cache": {
    file: "engine/model.ts",
    from: "const held = ring.holds(checked);",
    to: "const held = false;",
    test: engine("inspect", "after inspecting"),
  },
  "keys that rolled out of the ring are reused": {
    file: "engine/scheduler/ring-state.ts",
    from: "position - this.#window + 1) >= this.oldest",
    to: "position - this.#window + 1) >= 0",
    test: engine("chunks", "rolled out"),
  },
  "steps past a stop are not taken back": {
    file: "engine/scheduler/ring-state.ts",
    from: "Math.max(this.#written, end)",
    to: "this.#ids.length",
    test: engine("chunks", "rolled out"),
  },
  "slots written past a prompt are forgotten": {
    file: "engine/model.ts",
    from: "ring.begin(checked, start);",
    to: "ring.begin(checked, 0);",
    test: engine("chunks", "keeps track of slots"),
  },
  "scheduler: joining or leaving does not change the rows": {
    file: "engine/scheduler/step-planner.ts",
    from: "if (!same(members, this.#rows)) {",
    to: "if (this.#rows.length === 0) {",
    test: engine("scheduler", "join or leave"),
  },
  "scheduler: a whole prompt in one step": {
    file: "engine/scheduler/step-planner.ts",
    from: "const stepped = await this.#step(decoder, sequences);",
    to: "const stepped = !prefilled && (await this.#step(decoder, sequences));",
    test: engine("scheduler", "a long prompt does not block"),
  },
  "scheduler: chunks scored before a loss are not scored again": {
    file: "engine/scheduler/exclusive-task.ts",
    from: "if (this.#gpuModel !== gpuModel) {",
    to: "if (!this.#rest) {",
    test: engine("device-loss", "a text scored while"),
  },
  "scheduler: decoding does not wait for the reader": {
    file: "engine/scheduler/sequence.ts",
    from: "submitted - taken >= STEPS_IN_FLIGHT",
    to: "submitted - taken >= Infinity",
    test: engine("scheduler", "reader that stopped reading"),
  },
  "a step runs ahead of its constraint": {
    file: "engine/scheduler/sequence.ts",
    from: "options.constraint ? 1 : STEPS_IN_FLIGHT",
    to: "STEPS_IN_FLIGHT",
    test: engine("constraint", "every other token"),
  },
  "a mask from before the loss is used": {
    file: "engine/scheduler/step-planner.ts",
    from: "masked: constraint !== undefined",
    to: "masked: constraint !== undefined && answer.length === 0",
    test: engine("constraint", "device is lost"),
  },
  "scheduler: a partial copy counts as whole": {
    file: "engine/scheduler/ring-state.ts",
    from: "this.#written = other.#written;",
    to: "this.#written = length;",
    test: engine("scheduler", "400 tokens"),
  },
  "session: a range that wraps past the last slot is cut": {
    file: "engine/session/ring-bytes.ts",
    from: "{ position: start + untilEnd, length: count - untilEnd },",
    to: "",
    test: engine("session", "continues in another model"),
  },
  "penalty counts are lost with the device": {
    file: "engine/scheduler/step-planner.ts",
    from: "{ settings, seed, prompt, answer, masked:",
    to: "{ settings, seed, prompt, masked:",
    test: engine("device-loss", "lost between tokens"),
  },
  "tokens written by decode are recomputed by prefill": {
    file: "engine/scheduler/ring-state.ts",
    from: "await writer[by](",
    to: "await writer.prefill(",
    test: engine("device-loss", "conversation"),
  },
  "a worker runs ahead of its reader without bound": {
    file: "engine/worker/server.ts",
    from: "while (this.#credits === 0",
    to: "while (this.#credits === Infinity",
    test: engine("worker.cpu", "never far ahead"),
  },
  "reader left, generation continues": {
    file: "engine/worker/server.ts",
    from: "await answer.return();",
    to: "",
    test: engine("worker.cpu", "when its reader leaves"),
  },
};
