// A stand-in for a replica of `sirocco serve`, in a process of its own so that a test can kill it. The test
// sets its state by messages; a request's body says how it is answered: { events, everyMs, hold, die }.
import { createServer } from "node:http";

const port = Number(process.argv[2] ?? 0);
const name = process.argv[3] ?? "replica";
let state = "ready";
/** @type {(() => void)[]} */
const held = [];
const counts = { asked: 0, taken: 0, gone: 0, bytes: 0 };

/** Never resolves if the client is gone. */
const drained = (/** @type {import("node:http").ServerResponse} */ response) =>
  new Promise((resolve) => response.once("drain", resolve));
const later = (/** @type {number} */ ms) => new Promise((resolve) => setTimeout(resolve, ms));
const untilReleased = () => new Promise((/** @type {(value: void) => void} */ resolve) => held.push(resolve));

const server = createServer(async (request, response) => {
  const path = request.url ?? "";
  if (path === "/metrics") return void response.end("secret figures");
  if (path === "/health") return void response.end("{}");
  if (path === "/ready") return void response.writeHead(state === "ready" ? 200 : 503).end(state);
  let body = "";
  for await (const chunk of request) body += chunk;
  counts.asked++;
  response.setHeader("X-Replica", name);
  if (state === "full") return refuse(response, 429, "queue_full");
  if (state === "draining") return refuse(response, 503, "shutting_down");
  counts.taken++;
  response.on("close", () => response.writableFinished || counts.gone++);
  await answer(JSON.parse(body || "{}"), response);
});

/**
 * @param {import("node:http").ServerResponse} response
 * @param {number} status
 * @param {string} code
 */
function refuse(response, status, code) {
  response.writeHead(status, { "Retry-After": "7", "Content-Type": "application/json" });
  response.end(JSON.stringify({ error: { code, message: `${name} is ${state}` } }));
}

/**
 * @param {{ events?: number, everyMs?: number, size?: number, hold?: boolean, die?: boolean }} body
 * @param {import("node:http").ServerResponse} response
 */
async function answer({ events = 0, everyMs = 0, size = 0, hold = false, die = false }, response) {
  if (die) process.exit(1);
  if (events === 0) {
    if (hold) await untilReleased();
    response.end(JSON.stringify({ replica: name }));
    return;
  }
  response.writeHead(200, { "Content-Type": "text/event-stream" });
  for (let i = 0; i < events && !response.destroyed; i++) {
    const text = `data: ${JSON.stringify({ replica: name, i })}

: ${"x".repeat(size)}

`;
    counts.bytes += text.length;
    if (!response.write(text)) await drained(response);
    if (hold && i === 1) await untilReleased();
    await later(everyMs);
  }
  response.end("data: [DONE]\n\n");
}

process.on("message", (/** @type {string} */ message) => {
  if (message === "release") for (const resolve of held.splice(0)) resolve();
  else if (message !== "counts") state = message;
  process.send?.({ ...counts, held: held.length });
});
process.on("disconnect", () => process.exit());
server.listen(port, "127.0.0.1", () => {
  const address = server.address();
  process.send?.({ port: typeof address === "object" ? address?.port : port });
});
