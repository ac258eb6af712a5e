// Bugs of the server.
import { load, server } from "./tests.mjs";

/** @type {Readonly<Record<string, import("./tests.mjs").Bug>>} */
export const serverBugs = {
  "server: pipelined requests run concurrently": {
    file: "server/one-at-a-time.ts",
    from: "await before;",
    to: "",
    test: server("many", "one request at a time"),
  },
  "server: a client that only sends is not cut off": {
    file: "server/reader-watch.ts",
    from: "pending === 0 || taken !== before ?",
    to: "taken !== before + pending ?",
    test: server("many", "keeps sending"),
  },
  "server: a reader is cut off after the machine slept": {
    file: "server/reader-watch.ts",
    from: "Math.min(now - last, 2 * period)",
    to: "(now - last)",
    test: server("reader-watch", "a sleep is not silence"),
  },
  "server: an answer goes out before it has been judged": {
    file: "server/moderation.ts",
    from: "else held.push(chunk);",
    to: "else yield chunk;",
    test: server("moderation", "is withheld"),
  },
  "server: text after a key is ignored": {
    file: "server/keys.ts",
    from: "/^Bearer +(\\S+) *$/i",
    to: "/^Bearer +([\\w-]{13})/i",
    test: server("access", "only requests with a valid key"),
  },
  "server: metrics are open through a proxy": {
    file: "server/routes/status.ts",
    from: "!proxied && ",
    to: "",
    test: server("access", "only requests with a valid key"),
  },
  "server: adapters that a list leaves out keep their default scales": {
    file: "server/default-adapters.ts",
    from: 'this.#scales = this.#read(given, "body");',
    to: 'this.#scales = [...this.#read(given, "body"), ...this.#scales];',
    test: server("adapters", "default scales apply"),
  },
  "server: pages of any origin may call": {
    file: "server/app.ts",
    from: "app.use(checkOrigin(service));",
    to: "",
    test: server("access", "pages can call only"),
  },
  "server: a place is not freed": {
    file: "server/admission.ts",
    from: "        this.#running--;\n",
    to: "",
    test: server("many", "frees its place"),
  },
  "server: an aborted request stays in the queue": {
    file: "server/admission.ts",
    from: "waiter.starts = waiter.starts.filter((each) => each !== start);",
    to: "",
    test: server("many", "frees its place"),
  },
  "server: a client that left is answered to the end": {
    file: "server/request-lifecycle.ts",
    from: "this.abort(new ClientGone());",
    to: "",
    test: server("many", "frees its place"),
  },
  "server: a stream is buffered without bound": {
    file: "server/sse.ts",
    from: "while (full() && !signal.aborted)",
    to: "while (false)",
    test: server("many", "uses bounded memory"),
  },
  "server: a reader that takes nothing is not cut off": {
    file: "server/middleware.ts",
    from: "outgoing.destroy();",
    to: "",
    test: server("many", "uses bounded memory"),
  },
  "server: no keep-alives while a stream waits": {
    file: "server/sse.ts",
    from: 'send(": still here\\n\\n");',
    to: "{}",
    test: server("many", "send keep-alives"),
  },
  "server: shutdown does not wait for running answers": {
    file: "server/listen.ts",
    from: "await within(drainMs, drained(service));",
    to: "",
    test: server("many", "drains"),
  },
  "server: an error reveals internals": {
    file: "server/errors.ts",
    from: '"The server failed."',
    to: "String(error)",
    test: server("many", "reveals no internals"),
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
  "Workers AI: the default length is refused if it does not fit": {
    file: "server/routes/workers-ai.ts",
    from: "if (asked) return",
    to: "return",
    test: ["test/server/workers-ai.cpu.test.ts", "-t", "cut to the context"],
  },
  "server: an adapter's file may have any name": {
    file: "server/finetunes.ts",
    from: "adapterFiles.find((each) => each === fileName)",
    to: "fileName",
    test: server("finetunes", "a pickle"),
  },
  "server: the files of a refused adapter stay": {
    file: "server/finetunes.ts",
    from: "removed.map((file) => rm(join(folder, file), { force: true }))",
    to: "[]",
    test: server("finetunes", "is not kept"),
  },
  "server: an upload replaces files that the start could not load": {
    file: "server/finetunes.ts",
    from: "kept.unusable = error.message;",
    to: "",
    test: server("finetunes", "a restart leaves alone"),
  },
  "server: a form's boundary is missed if it arrives in two pieces": {
    file: "server/multipart.ts",
    from: "Math.max(0, this.#pending.length - mark.length + 1)",
    to: "this.#pending.length",
    test: server("finetunes", "pieces of any length"),
  },
  "Workers AI: the adapter is checked and not used": {
    file: "server/routes/workers-ai.ts",
    from: ": adapterOf(adapters, lora)",
    to: ": adapterOf(adapters, lora) && {}",
    test: server("finetunes", "by name and by id"),
  },
  "server: an answer continues after its client left": {
    file: "server/request-lifecycle.ts",
    from: "this.#controller.abort(reason);",
    to: "void reason;",
    test: load("a thousand requests"),
  },
  "server: a prefix of a key is accepted": {
    file: "server/keys.ts",
    from: "update(key)",
    to: "update(key.slice(0, 8))",
    test: load("only the exact key"),
  },
  "server: an answer is buffered whole for a reader that stops": {
    file: "server/sse.ts",
    from: "while (full() && !signal.aborted)",
    to: "while (full() && signal.aborted)",
    test: load("a reader that stops"),
  },
  "server: a request for several answers blocks the others until all are done": {
    file: "server/admission.ts",
    from: "if (waiter.starts.length > 0) this.#queue.push(waiter);\n      start();",
    to: "if (waiter.starts.length > 0) this.#queue.unshift(waiter);\n      start();",
    test: server("many", "more prompts than places"),
  },
};
