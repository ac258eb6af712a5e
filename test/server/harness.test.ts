// The requests of lm-evaluation-harness (local-completions, local-chat-completions, remote tokenizer), and
// what it reads of the answers.
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { loadModel, type Model } from "../../engine/node.ts";
import { type Serving, serving } from "./serving.ts";

/** It sends the key of the environment, which is empty. */
const init = { headers: { Authorization: "Bearer " } };

let model: Model;
let server: Serving;
beforeAll(async () => {
  model = await loadModel();
});
beforeEach(async () => {
  server = await serving(model);
});
afterAll(() => model.dispose());

interface Choice {
  readonly index: number;
  readonly text: string;
  readonly logprobs: {
    readonly token_logprobs: readonly number[];
    readonly top_logprobs: readonly Readonly<Record<string, number>>[];
  };
}

async function ask(path: string, body: object) {
  const response = await server.post(path, body, init);
  expect(response.status).toBe(200);
  return response.json();
}

const encode = async (prompt: string): Promise<number[]> =>
  (await ask("/tokenize", { prompt, add_special_tokens: false })).tokens;

const sum = (values: Iterable<number>) => [...values].reduce((total, value) => total + value, 0);

/** Sum of the log-probabilities after the context, and whether each token is the greedy one. */
function parse({ logprobs }: Choice, context: number) {
  const own = logprobs.token_logprobs.slice(context, -1);
  const top = logprobs.top_logprobs.slice(context, -1);
  return { sum: sum(own), isGreedy: own.every((each, i) => each === Math.max(...Object.values(top[i]!))) };
}

/** One request with several texts. */
async function logLikelihoods(prompt: readonly (readonly number[])[]) {
  const options = { temperature: 0, max_tokens: 1, logprobs: 1, seed: 1234, echo: true };
  const { choices, usage } = await ask("/v1/completions", { model: "paper", prompt, ...options });
  // Ids get no token in front.
  expect(usage.prompt_tokens).toBe(sum(prompt.map((ids) => ids.length)));
  return (choices as Choice[]).sort((a, b) => a.index - b.index);
}

test("loglikelihood: sums are those of the library, and greedy tokens are equal to the bit", async () => {
  const context = await encode("Once upon a time, there was a little");
  const greedy: number[] = [];
  for await (const chunk of model.generate(context, { temperature: 0, maxTokens: 4 }))
    greedy.push(...chunk.ids);
  const endings = [await encode(" girl named Lily."), greedy, await encode(" 7 € zebra")];
  const texts = endings.map((ending) => [...context, ...ending]);
  const choices = await logLikelihoods(texts);
  for (const [i, choice] of choices.entries()) {
    expect(choice.logprobs.token_logprobs).toHaveLength(texts[i]!.length + 1);
    expect(choice.logprobs.token_logprobs[0]).toBeNull();
    const { logProbs, ranks } = await model.score(texts[i]!);
    const from = context.length - 1;
    expect(parse(choice, context.length)).toEqual({
      sum: sum(logProbs.subarray(from)),
      isGreedy: ranks.subarray(from).every((rank) => rank === 1),
    });
    // The token that was generated is the greedy one.
    const last = Object.values(choice.logprobs.top_logprobs.at(-1)!);
    expect(choice.logprobs.token_logprobs.at(-1)).toBe(Math.max(...last));
  }
  expect(parse(choices[1]!, context.length).isGreedy).toBe(true);
  expect(parse(choices[2]!, context.length).isGreedy).toBe(false);
  // A list of one list, as it sends for a batch of one.
  expect(parse((await logLikelihoods([texts[0]!]))[0]!, context.length)).toEqual(
    parse(choices[0]!, context.length),
  );
});

test("loglikelihood_rolling: windows after the token that ends a sequence", async () => {
  const { eos_token } = await (await server.get("/tokenizer_info", init.headers)).json();
  const { tokens: prefix } = await ask("/tokenize", { prompt: eos_token, add_special_tokens: false });
  expect(prefix).toEqual([2]);
  const ids = await encode("Once upon a time, there was a dog. The dog was big, and it ran to the park.");
  const window = 12;
  for (let at = 0; at < ids.length; at += window) {
    const text = [at === 0 ? prefix[0] : ids[at - 1]!, ...ids.slice(at, at + window)];
    const [choice] = await logLikelihoods([text]);
    expect(parse(choice!, 1).sum).toBe(sum((await model.score(text)).logProbs));
  }
});

test("generate_until: ids or texts, up to a stop string", async () => {
  const prompts = ["Once upon a time", "The dog"];
  const options = { model: "paper", temperature: 0, max_tokens: 12, stop: ["."], seed: 1234 };
  const lists = await Promise.all(prompts.map((prompt) => model.encode(prompt)));
  for (const prompt of [prompts, lists]) {
    const { choices } = await ask("/v1/completions", { prompt, ...options });
    for (const [i, ids] of lists.entries()) {
      let text = "";
      const own = { temperature: 0, maxTokens: 12, stop: ["."] };
      for await (const chunk of model.generate(ids, own)) text += chunk.text;
      expect(choices[i]).toMatchObject({ index: i, text });
    }
  }
  const messages = [{ role: "user", content: "Tell me a story." }];
  const { choices } = await ask("/v1/chat/completions", { messages, ...options });
  const { text } = await model.answer(messages as [], { temperature: 0, maxTokens: 12, stop: ["."] });
  expect(choices[0].message.content).toBe(text);
});

test("the remote tokenizer: vLLM's routes", async () => {
  const info = await (await server.get("/tokenizer_info", init.headers)).json();
  expect(info).toEqual({
    ...{ bos_token: "<s>", eos_token: "</s>", pad_token: null },
    chat_template: expect.stringContaining("[INST]"),
  });
  const whole = await ask("/tokenize", { prompt: "The dog" });
  expect(whole).toEqual({
    ...{ tokens: await model.encode("The dog"), count: 3 },
    max_model_len: server.service.contextLength,
  });
  const bare = await ask("/tokenize", { model: "paper", prompt: "The dog", add_special_tokens: false });
  expect(bare.tokens).toEqual(whole.tokens.slice(1));
  expect(await ask("/tokenize", { prompt: "", add_special_tokens: false })).toMatchObject({
    tokens: [],
    count: 0,
  });
  // The harness asks so for the id of the token in front. One that a text spells is the text's own.
  expect((await ask("/tokenize", { prompt: "<s>", add_special_tokens: false })).tokens).toEqual([1]);
  expect((await ask("/tokenize", { prompt: "<s>The dog", add_special_tokens: false })).tokens).toEqual(
    whole.tokens,
  );
  expect(await ask("/detokenize", { tokens: bare.tokens })).toEqual({ prompt: "The dog" });
  const messages = [{ role: "user", content: "Hi" }] as const;
  const chat = await ask("/tokenize", { messages, add_generation_prompt: true });
  expect(chat.tokens).toEqual(await model.encodeChat(messages));
});

test("what the tokenizer's routes refuse", async () => {
  const messages = [{ role: "user", content: "Hi" }];
  for (const [path, body, param] of [
    ["/tokenize", {}, "prompt"],
    ["/tokenize", { prompt: 5 }, "prompt"],
    ["/tokenize", { prompt: "a", tools: [{}] }, "tools"],
    ["/tokenize", { prompt: "a", messages }, "prompt"],
    ["/tokenize", { messages, add_special_tokens: true }, "add_special_tokens"],
    ["/tokenize", { prompt: "a", return_token_strs: true }, "return_token_strs"],
    ["/detokenize", { tokens: [-1] }, "tokens"],
  ] as const) {
    const response = await server.post(path, body, init);
    expect([response.status, (await response.json()).error.param]).toEqual([400, param]);
  }
  const guarded = await serving(model, { keys: ["secret"] });
  expect((await guarded.get("/tokenizer_info", init.headers)).status).toBe(401);
  expect((await guarded.post("/tokenize", { prompt: "a" }, init)).status).toBe(401);
});
