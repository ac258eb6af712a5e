// The lists of log-probabilities on the embedded model: every sampled token is listed, and the joined
// texts equal the choice's text.
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { loadModel, type Model } from "../../engine/node.ts";
import { eventsOf, serving } from "./serving.ts";

let model: Model;
beforeAll(async () => {
  model = await loadModel();
});
afterAll(() => model.dispose());

interface Choice {
  readonly text: string;
  readonly logprobs: { readonly tokens: string[]; readonly text_offset: number[] };
}

const choiceOf = async (answer: Response) => ((await answer.json()) as { choices: [Choice] }).choices[0];
const withoutNames = (tokens: readonly string[]) => tokens.filter((token) => !token.startsWith("token_id:"));

test("a token that ends the answer is listed: dropping the last entry leaves those of the prompt", async () => {
  const { post } = await serving(model);
  const prompt = "They all lived happily ever after. The end.";
  const body = { prompt, max_tokens: 1, temperature: 0, echo: true, logprobs: 1 };
  const { text, logprobs } = await choiceOf(await post("/v1/completions", body));
  const { tokens } = await (await post("/v1/tokenize", { input: prompt })).json();
  expect(text).toBe(prompt);
  expect(tokens.length).toBe(11);
  for (const list of Object.values(logprobs)) expect(list.length).toBe(12);
  expect(logprobs.tokens.at(-1)).toBe("token_id:2");
  expect(withoutNames(logprobs.tokens).join("")).toBe(prompt);
});

test.each(["A € 🎉 é. The dog", "x", " Once", "  Once"])(
  "offsets count the characters of the text, whole and streamed: %j",
  async (prompt) => {
    const { post } = await serving(model);
    const body = { prompt, max_tokens: 4, temperature: 0, echo: true, logprobs: 0 };
    const { text, logprobs } = await choiceOf(await post("/v1/completions", body));
    const events = eventsOf(await (await post("/v1/completions", { ...body, stream: true })).text());
    const pieces = events.slice(0, -1).map((event) => (event as { choices: [Choice] }).choices[0]);
    expect(pieces.map((piece) => piece.text).join("")).toBe(text);
    expect(pieces.flatMap((piece) => piece.logprobs.text_offset)).toEqual(logprobs.text_offset);
    const characters = [...text];
    logprobs.tokens.forEach((token, i) => {
      if (token.startsWith("token_id:")) return;
      const at = logprobs.text_offset[i] ?? Infinity;
      expect(characters.slice(at, at + [...token].length).join("")).toBe(token);
    });
    expect(withoutNames(logprobs.tokens).join("")).toBe(text);
  },
);

test("chat: the tokens joined are the content", async () => {
  const { post } = await serving(model);
  const body = { messages: [{ role: "user", content: "Tell me a story." }], max_tokens: 8, logprobs: true };
  const [{ message, logprobs }] = (await (await post("/v1/chat/completions", body)).json()).choices;
  expect(logprobs.content.map(({ token }: { token: string }) => token).join("")).toBe(message.content);
});

test("a model without a tokenizer: all routes say so", async () => {
  const bare = await loadModel(new URL("../golden/families/gqa_4x2", import.meta.url).pathname);
  onTestFinished(() => bare.dispose());
  const { get, post } = await serving(bare);
  const messages = [{ role: "user", content: "Hi" }];
  const answers = [
    get("/tokenizer_info"),
    ...(
      [
        ["/v1/completions", { prompt: [1, 2] }],
        ["/v1/completions", { prompt: [1, 2], stream: true }],
        ["/v1/completions", { prompt: "Hi" }],
        ["/v1/chat/completions", { messages }],
        ["/tokenize", { prompt: "Hi" }],
        ["/detokenize", { tokens: [1, 2] }],
        ["/v1/tokenize", { input: "Hi" }],
        ["/v1/detokenize", { tokens: [1, 2] }],
        ["/v1/moderations", { input: "Hi" }],
      ] as const
    ).map(([path, body]) => post(path, body)),
  ];
  for (const answer of await Promise.all(answers)) {
    const { error } = await answer.json();
    expect([answer.url, answer.status, error.code]).toEqual([answer.url, 400, "no_tokenizer"]);
    expect(error.message).toMatch(/^Expected a model with a tokenizer, got one without/);
  }
  const run = await post("/client/v4/accounts/a/ai/run/paper", { prompt: "Hi" });
  expect([run.status, (await run.json()).errors[0].code]).toEqual([400, 5006]);
});
