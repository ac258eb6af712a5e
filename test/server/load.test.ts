// The embedded model under load: 24 clients, 120 requests, some aborted, some slow. Each answer equals
// the one given alone.
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { random } from "../../bench/prompts.ts";
import { loadModel, type Model } from "../../engine/node.ts";
import { createService, type Listening, listen, type Service } from "../../server/index.ts";
import * as behaviours from "./load/behaviours.ts";
import { Client } from "./load/client.ts";
import * as hostile from "./load/hostile.ts";
import { round } from "./load/round.ts";

const KEY = "the-only-key";
const CLIENTS = 24;
const ROUNDS = [60, 60];

/** Texts of mixed length; some begin with another, as the turns of a conversation do. */
const PROMPTS = [
  "Once upon a time",
  "Once upon a time there was a dog",
  "The sun",
  "A girl found a red box",
  "One day Tom went to the park and saw a bird",
  "Lily likes",
];

type Kind = Pick<behaviours.Task, "prompt" | "maxTokens" | "seed" | "expected" | "chat"> & {
  readonly temperature: number;
};

let model: Model;
let service: Service;
let server: Listening;
let kinds: Kind[];

beforeAll(async () => {
  model = await loadModel(undefined, { parallel: 8 });
  service = createService(model, { name: "tiny", keys: [KEY], parallel: 8, queue: 64 });
  server = await listen(service, { host: "127.0.0.1", port: 0 });
  kinds = [];
  for (const [i, prompt] of PROMPTS.entries()) {
    for (const temperature of [0, 0.9]) {
      const [maxTokens, seed, chat] = [2 + ((5 * i) % 6), 100 + i, i % 2 === 1];
      const expected = await alone(prompt, { chat, maxTokens, seed, temperature });
      kinds.push({ prompt, maxTokens, seed, chat, temperature, expected });
    }
  }
}, 120_000);

afterAll(async () => {
  await server?.close({ drainMs: 1000 });
  model?.dispose();
});

async function alone(
  prompt: string,
  {
    chat,
    maxTokens,
    seed,
    temperature,
  }: { chat: boolean; maxTokens: number; seed: number; temperature: number },
): Promise<behaviours.Expected> {
  const options = { maxTokens, seed, temperature, topP: 1 };
  const answer = chat
    ? model.chat([{ role: "user", content: prompt }], options)
    : model.generate(prompt, options);
  let text = "";
  let reason = "";
  for await (const chunk of answer) {
    text += chunk.text;
    reason = chunk.finish?.reason ?? reason;
  }
  return { text, reason };
}

/** Twelve requests; any twelve in a row contain each once. */
const deck: readonly behaviours.Behaviour[] = [
  ...[behaviours.whole, behaviours.stream, behaviours.whole, behaviours.slow],
  ...[behaviours.stream, behaviours.cut, behaviours.whole, behaviours.stream],
  ...[behaviours.cutWhole, hostile.wrongKey(KEY), hostile.badUtf8, behaviours.stream],
];
let asked = 0;

async function one(client: Client): Promise<string | undefined> {
  const index = asked++;
  const behaviour = deck[index % deck.length]!;
  const kind = kinds[Math.floor(random(index)() * kinds.length)]!;
  return behaviour({ client, ...kind, cutTokens: 100 }).catch((error: Error) => error.message);
}

/** Runs requests on clients that are created for them. */
const clients = (): Client[] => Array.from({ length: CLIENTS }, () => new Client(server.url, KEY));

test("every answer under load equals the one given alone, and no place leaks", async () => {
  for (const requests of ROUNDS) {
    const wrong = await round(clients(), requests, one);
    expect(wrong.slice(0, 5), `${wrong.length} of ${requests} went wrong`).toEqual([]);
    await expect.poll(() => service.lifecycles.size, { timeout: 20_000 }).toBe(0);
    expect(service.admission).toMatchObject({ running: 0, waiting: 0, open: true });
  }
  // Aborted requests freed the model too.
  const [kind] = kinds;
  const later = sleep(20_000, "late");
  expect(await Promise.race([alone(kind!.prompt, kind!), later])).toEqual(kind!.expected);
}, 240_000);
