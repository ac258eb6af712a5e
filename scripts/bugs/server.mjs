// Bugs of the server.
import { load, server } from "./tests.mjs";

/** @type {Readonly<Record<string, import("./tests.mjs").Bug>>} */
export const serverBugs = {
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
  "server: a key of any length that begins alike is let in": {
    file: "server/keys.ts",
    from: "/^Bearer +(\\S+) *$/i",
    to: "/^Bearer +([\\w-]{13})/i",
    test: server("access", "only who sends"),
  },
  "server: figures are open to whoever comes through a proxy": {
    file: "server/routes/status.ts",
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
    file: "server/request-lifecycle.ts",
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
  "Workers AI: the usual length is refused where it does not fit": {
    file: "server/routes/workers-ai.ts",
    from: "if (asked) return",
    to: "return",
    test: ["test/server/workers-ai.cpu.test.ts", "-t", "cut to the context"],
  },
  "client gone, answer goes on": {
    file: "server/request-lifecycle.ts",
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
    from: "if (waiter.starts.length > 0) this.#queue.push(waiter);\n      start();",
    to: "if (waiter.starts.length > 0) this.#queue.unshift(waiter);\n      start();",
    test: server("many", "more prompts than places"),
  },
};
