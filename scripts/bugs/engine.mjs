// Bugs of the engine around the forward pass: who shares a step, what a ring holds, options, workers.
import { engine } from "./tests.mjs";

/** @type {Readonly<Record<string, import("./tests.mjs").Bug>>} */
export const engineBugs = {
  "a long text in one go": {
    file: "engine/slices.ts",
    from: "if (performance.now() < until) continue;",
    to: "if (until > 0) continue;",
    test: ["test/server/event-loop.cpu.test.ts", "-t", "a text for its tokens"],
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
  "a look takes the cache": {
    file: "engine/model.ts",
    from: "const held = ring.holds(checked);",
    to: "const held = false;",
    test: engine("inspect", "after a look"),
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
    from: "if (!same(members, this.#rows)) {",
    to: "if (this.#rows.length === 0) {",
    test: engine("batch", "whoever joins"),
  },
  "batch: a whole prompt at a time": {
    file: "engine/scheduler/step-planner.ts",
    from: "const stepped = await this.#step(decoder, sequences);",
    to: "const stepped = !prefilled && (await this.#step(decoder, sequences));",
    test: engine("batch", "does not hold up"),
  },
  "batch: what was scored before a loss is not scored again": {
    file: "engine/scheduler/exclusive-task.ts",
    from: "if (this.#gpuModel !== gpuModel) {",
    to: "if (!this.#rest) {",
    test: engine("device-loss", "scored while"),
  },
  "batch: a reader is not waited for": {
    file: "engine/scheduler/sequence.ts",
    from: "submitted - taken >= STEPS_IN_FLIGHT",
    to: "submitted - taken >= Infinity",
    test: engine("batch", "stopped reading"),
  },
  "a step runs ahead of its constraint": {
    file: "engine/scheduler/sequence.ts",
    from: "options.constraint ? 1 : STEPS_IN_FLIGHT",
    to: "STEPS_IN_FLIGHT",
    test: engine("constraint", "every other token"),
  },
  "a mask of before the loss": {
    file: "engine/scheduler/step-planner.ts",
    from: "masked: constraint !== undefined",
    to: "masked: constraint !== undefined && answer.length === 0",
    test: engine("constraint", "device is lost"),
  },
  "batch: a copy is taken for whole": {
    file: "engine/scheduler/ring-state.ts",
    from: "this.#written = other.#written;",
    to: "this.#written = length;",
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
    from: "{ settings, seed, prompt, answer, masked:",
    to: "{ settings, seed, prompt, masked:",
    test: engine("device-loss", "sampled: lost"),
  },
  "what decode steps wrote computed again by a prefill": {
    file: "engine/scheduler/ring-state.ts",
    from: "await writer[by](",
    to: "await writer.prefill(",
    test: engine("device-loss", "conversation"),
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
};
