// A Deno that runs checks: calls are lines of JSON on its input, and so are answers on its output.
import { createInterface } from "node:readline";

const [bundle = ""] = process.argv.slice(2);
const answer = console.log;
console.log = console.error;
await import(bundle);
for await (const line of createInterface({ input: process.stdin })) {
  const { method, args } = JSON.parse(line) as { method: keyof typeof globalThis.host; args: never[] };
  const result = await (globalThis.host[method] as (...args: never[]) => Promise<unknown>)(...args);
  answer(JSON.stringify({ result }));
}
