// Bugs of the adapters for other APIs.
import { engine } from "./tests.mjs";

/** @type {Readonly<Record<string, import("./tests.mjs").Bug>>} */
export const apisBugs = {
  "server: answers of a request one after another, for a slow reader": {
    file: "engine/apis/merge.ts",
    from: "coming.delete(stream);\n      if (result.done) continue;",
    to: "if (result.done) {\n        coming.delete(stream);\n        continue;\n      }",
    test: engine("merge.cpu", "in turn"),
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
  "__proto__ as a field that nobody refuses": {
    file: "engine/apis/quiet-fields.ts",
    from: "if (!isInherited(name) && (known",
    to: "if (isInherited(name) || (known",
    test: ["test/engine/request-bodies.cpu.test.ts"],
  },
};
