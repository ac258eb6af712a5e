// Bugs of the adapters for other APIs.
import { engine } from "./tests.mjs";

/** @type {Readonly<Record<string, import("./tests.mjs").Bug>>} */
export const apisBugs = {
  "a stop string ends a thought": {
    file: "engine/answer/answer-text.ts",
    from: "const shown = this.#stops.push(said);",
    to: "const shown = this.#stops.push(reasoning + said);",
    test: engine("thinking.cpu", "stop strings count in the answer only"),
  },
  "a prompt that opens the tag is overlooked": {
    file: "engine/answer/thinking.ts",
    from: "if (end.endsWith(tags.open)) return",
    to: "if (end.endsWith(tags.open) && continues) return",
    test: engine("thinking.cpu", "if the prompt ends with the tag"),
  },
  "server: for a slow reader, answers of a request are sent one after another": {
    file: "engine/apis/merge.ts",
    from: "coming.delete(stream);\n      if (result.done) continue;",
    to: "if (result.done) {\n        coming.delete(stream);\n        continue;\n      }",
    test: engine("merge.cpu", "in turn"),
  },
  "Workers AI: reader left, the current piece is awaited": {
    file: "engine/apis/workers-ai/stream.ts",
    from: "left.abort(reason);",
    to: "",
    test: engine("workers-ai.cpu", "cancelling ends"),
  },
  "Workers AI: reader left, generation continues": {
    file: "engine/apis/workers-ai/stream.ts",
    from: "await pieces.return();",
    to: "",
    test: engine("workers-ai.cpu", "cancelling ends"),
  },
  "Workers AI: a refusal is sent after the stream has begun": {
    file: "engine/apis/workers-ai/stream.ts",
    from: "= await pieces.next();",
    to: ";",
    test: engine("workers-ai.cpu", "does not fit rejects"),
  },
  "Workers AI: a model's name escapes its path": {
    file: "engine/apis/workers-ai/http.ts",
    from: "(\\/[\\w:-][\\w.:-]*)*",
    to: "(\\/[\\w.:-]*)*",
    test: engine("workers-ai-http.cpu", "cannot escape its path"),
  },
  "__proto__ is accepted as a field": {
    file: "engine/apis/quiet-fields.ts",
    from: "if (!isInherited(name) && (known",
    to: "if (isInherited(name) || (known",
    test: ["test/engine/request-bodies.cpu.test.ts"],
  },
  "an answer in one value has a call that was cut off": {
    file: "engine/whole-answer.ts",
    from: 'reason === "tool-calls" ? calls : calls.slice(0, -1)',
    to: "calls",
    test: engine("whole-answer.cpu", "cut off is none"),
  },
  "the Prompt API forgets the initial prompts when the context is full": {
    file: "engine/apis/prompt-api/session.ts",
    from: "return [...this.#start.initial, ...this.#turns.flat()];",
    to: "return this.#turns.flat();",
    test: engine("prompt-api.cpu", "the initial ones stay"),
  },
  "an aborted prompt of the Prompt API stays in the conversation": {
    file: "engine/apis/prompt-api/session.ts",
    from: "      const turn: Message[] = [...messages];",
    to: "      const turn: Message[] = [...messages];\n      this.#turns = [...this.#turns, turn];",
    test: engine("prompt-api.cpu", "leaves no trace"),
  },
};
