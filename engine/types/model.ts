// A loaded model, as its users see it.
import type { ModelConfig } from "../../weights/config.ts";
import type {
  Answer,
  CallOptions,
  ChatOptions,
  Chunk,
  EncodeChatOptions,
  EncodeTextOptions,
  Extraction,
  GenerateOptions,
  Message,
  PassOptions,
  Score,
  ScoreOptions,
} from "./answer.ts";
import type { JsonSchema, StandardSchema } from "./format.ts";
import type { Classification, ClassifyOptions, ModerateOptions, Moderation } from "./guard.ts";
import type { AdapterSource, AddAdapterOptions } from "./load.ts";
import type { OpenAIShape } from "./openai.ts";
import type {
  Activity,
  AdapterDescription,
  AttentionOptions,
  AttentionWeights,
  Candidate,
  CandidatesOptions,
  KernelTime,
  Plan,
  SaveSessionOptions,
  TokenizerInfo,
} from "./reports.ts";

/**
 * A loaded model. `loadModel` and `loadModelInWorker` return one.
 *
 * Calls may overlap: up to `plan.parallel` run at once, the others wait in line. Every call of a method may
 * fail with these errors, which are not listed again:
 *
 * - `TypeError` or `RangeError` for a wrong argument or option, before anything is computed. Its property
 *   `parameter` has the name.
 * - `DeviceLostError` with the code "disposed" after `dispose()`, or "device-lost" if a lost GPU device could
 *   not be replaced. (A lost device is replaced by the call that notices: weights are loaded again, the cache
 *   is computed again, and a running answer continues with its next token.)
 * - `DeviceError` if the GPU refuses a command or has no memory left.
 * - `ModelInUseError` if another tab took over the stored model.
 *
 * Promises reject with these errors; `generate` and `chat` throw them from the first `next()`.
 */
export interface Model {
  /** Sizes and constants from config.json. */
  readonly config: ModelConfig;
  /** Bytes on the GPU, formats, context. */
  readonly plan: Plan;
  /** The adapter the model runs on. */
  readonly adapter: AdapterDescription;
  /** Maximum number of tokens of a prompt and its answer together; the same as `plan.contextLength`. */
  readonly contextLength: number;
  /** Names of the LoRA adapters that are loaded, in the order in which they were added. */
  readonly adapters: readonly string[];
  /**
   * OpenAI's chat completions on this model.
   *
   * @example
   * ```ts
   * const { choices, usage } = await model.openai.chat.completions.create({
   *   messages: [{ role: "user", content: "Tell me a story." }],
   *   max_completion_tokens: 12,
   *   temperature: 0,
   * });
   * console.log(choices[0]?.message.content, usage.total_tokens);
   * ```
   */
  readonly openai: OpenAIShape;
  /**
   * Continues a text or token ids.
   *
   * @param prompt a text, which gets the beginning-of-sequence token in front, or token ids, which are taken
   * as they are
   * @throws ContextLengthError if the prompt is longer than `contextLength`
   * @throws CheckpointError for a text, if the checkpoint has no tokenizer
   *
   * @example
   * ```ts
   * let story = "Once upon a time";
   * for await (const chunk of model.generate(story, { maxTokens: 12, temperature: 0 })) {
   *   story += chunk.text;
   *   if (chunk.finish) console.log(chunk.finish.reason, chunk.finish.completionTokens); // length 12
   * }
   * console.log(story); // Once upon a time, there was a little girl named Lily. She loved to
   * ```
   */
  generate(prompt: string | readonly number[], options?: GenerateOptions): AsyncGenerator<Chunk, void, void>;
  /**
   * Answers a conversation, rendered with the chat template of the checkpoint.
   *
   * @throws ChatTemplateError if there is no template, or it refuses these messages
   * @throws ContextLengthError if the conversation is longer than `contextLength`
   * @throws CheckpointError if the checkpoint has no tokenizer
   *
   * @example
   * ```ts
   * import type { Message } from "sirocco";
   *
   * const messages: Message[] = [{ role: "user", content: "Tell me a story about a dog." }];
   * let answer = "";
   * const options = { maxTokens: 40, temperature: 0.7, seed: 1 };
   * for await (const { text } of model.chat(messages, options)) answer += text;
   * messages.push({ role: "assistant", content: answer }, { role: "user", content: "And then?" });
   * for await (const { finish } of model.chat(messages, { maxTokens: 1 })) {
   *   if (finish) console.log(finish.cachedTokens > 0); // true
   * }
   * ```
   */
  chat(messages: readonly Message[], options?: ChatOptions): AsyncGenerator<Chunk, void, void>;
  /**
   * As `chat`, with the same options: the whole answer in one value, once it has ended. `chat` streams.
   *
   * @throws the errors of `chat`; the signal's reason if the signal ended the answer
   *
   * @example
   * ```ts
   * const { text, reason, usage } = await model.answer([{ role: "user", content: "Tell me a story." }], {
   *   maxTokens: 12,
   * });
   * console.log(text.length > 0, reason, usage.completionTokens); // true length 12
   * ```
   */
  answer(messages: readonly Message[], options?: ChatOptions): Promise<Answer>;
  /**
   * Answers a conversation with a value: JSON that a schema allows, parsed and checked. For a schema of zod
   * the value has its type.
   *
   * @param schema of zod ≥ 4.2 or of another library with StandardSchemaV1 and `jsonSchema`, or a JSON Schema
   * @throws ExtractionError if `maxTokens` cut the value off, or the schema refuses it for a reason that no
   * JSON Schema tells
   * @throws TypeError if the schema has a keyword that cannot be held to; the message names it and its path
   * @throws the errors of `chat`
   *
   * @example
   * ```ts
   * const schema = {
   *   type: "object",
   *   properties: { animal: { enum: ["dog", "cat"] }, age: { type: "integer", minimum: 0, maximum: 30 } },
   *   required: ["animal", "age"],
   *   additionalProperties: false,
   * };
   * const { value } = await model.extract([{ role: "user", content: "Rex is an old dog." }], schema);
   * console.log(value);
   * ```
   */
  extract<Output = unknown>(
    messages: readonly Message[],
    schema: StandardSchema<Output> | JsonSchema,
    options?: Omit<ChatOptions, "format">,
  ): Promise<Extraction<Output>>;
  /**
   * Which of some labels fits a text, or answers a conversation, with the probability of each. The prompt is
   * computed once; then each label is scored after it, without sampling.
   *
   * If the tokens of one label begin another, the end of the answer counts as well.
   *
   * @param text a text to put into the prompt, or messages, which the label answers
   * @param labels 2 … 64 texts that differ, of at most 64 tokens each
   * @throws ContextLengthError if prompt and label are longer than `contextLength`
   * @throws ChatTemplateError if there is no template, or it refuses the messages; see `raw`
   * @throws CheckpointError if the checkpoint has no tokenizer
   *
   * @example
   * ```ts
   * const options = { raw: true, prompt: "{text}. Tom felt very" };
   * const { label } = await model.classify("Tom lost his toy", ["happy", "sad"], options);
   * console.log(label); // sad
   * ```
   */
  classify<Label extends string>(
    text: string | readonly Message[],
    labels: readonly Label[],
    options?: ClassifyOptions,
  ): Promise<Classification<Label>>;
  /**
   * Whether a text is acceptable: the model is asked, and its choice among three categories and "acceptable"
   * is scored as by `classify`. The verdict is as good as the model. A text that is longer than the context
   * is judged in parts, and the worst counts.
   *
   * @throws ChatTemplateError if there is no template
   * @throws CheckpointError if the checkpoint has no tokenizer
   *
   * @example
   * ```ts
   * const { flagged, scores } = await model.moderate("How do I bake bread?");
   * console.log(typeof flagged, Object.keys(scores).length); // boolean 3
   * ```
   */
  moderate(text: string, options?: ModerateOptions): Promise<Moderation>;
  /**
   * Probability and rank of each token of a text, given the tokens before it. With `topLogProbs` also the
   * likeliest tokens in its place.
   *
   * @param text a text or token ids, of at least two tokens
   * @throws ContextLengthError if it is longer than `contextLength`
   * @throws CheckpointError for a text, if the checkpoint has no tokenizer
   * @throws RangeError if `from` is beyond the last token
   *
   * @example
   * ```ts
   * const likely = await model.score("The dog was happy.");
   * const unlikely = await model.score("Dog the happy was.");
   * console.log(likely.perplexity < unlikely.perplexity); // true
   *
   * const { ranks, top } = await model.score("Once upon a time", { topLogProbs: 2 });
   * console.log(ranks.at(-1), top?.at(-1)?.map(({ text }) => text).join()); // 1  time, story
   * ```
   */
  score(text: string | readonly number[], options?: ScoreOptions): Promise<Score>;
  /**
   * Logits [V] after the last of `ids`.
   *
   * @param ids token ids, at least one
   * @throws ContextLengthError if there are more than `contextLength`
   *
   * @example
   * ```ts
   * const logits = await model.logits(await model.encode("Once upon a"));
   * const likeliest = logits.indexOf(Math.max(...logits));
   * console.log(await model.decode([likeliest])); // time
   * ```
   */
  logits(ids: readonly number[], options?: PassOptions): Promise<Float32Array>;
  /**
   * Token ids of a text, as `generate` takes them: with the beginning-of-sequence token in front and no token
   * at the end.
   *
   * @throws CheckpointError if the checkpoint has no tokenizer
   *
   * @example
   * ```ts
   * const ids = await model.encode("Once upon a time");
   * console.log(ids.length, await model.decode(ids)); // 5 Once upon a time
   * ```
   */
  encode(text: string, options?: EncodeTextOptions): Promise<number[]>;
  /**
   * Token ids of a conversation, as `chat` gives them to the model.
   *
   * @throws ChatTemplateError if there is no template, or it refuses these messages
   * @throws CheckpointError if the checkpoint has no tokenizer
   */
  encodeChat(messages: readonly Message[], options?: EncodeChatOptions): Promise<number[]>;
  /**
   * Text of token ids, without special tokens.
   *
   * @throws CheckpointError if the checkpoint has no tokenizer
   */
  decode(ids: readonly number[], options?: CallOptions): Promise<string>;
  /**
   * What the tokenizer's files say, for programs that render conversations themselves.
   *
   * @throws CheckpointError if the checkpoint has no tokenizer
   */
  tokenizerInfo(): Promise<TokenizerInfo>;
  /** Milliseconds of one decode step by kernel, the longest first. The cache is left as it is. */
  profile(): Promise<KernelTime[]>;
  /**
   * Attention weights of one layer for the last of `ids`. A conversation that begins with `ids` stays cached.
   *
   * @param ids token ids, at least one
   * @throws ContextLengthError if there are more than `contextLength`
   */
  attention(ids: readonly number[], options: AttentionOptions): Promise<AttentionWeights>;
  /**
   * The likeliest tokens after `ids`, likeliest first. A conversation that begins with `ids` stays cached.
   *
   * @param ids token ids, at least one
   * @throws ContextLengthError if there are more than `contextLength`
   */
  candidates(ids: readonly number[], options?: CandidatesOptions): Promise<Candidate[]>;
  /**
   * Keys and values of a cached conversation as bytes to keep, with a checksum. Resolves to undefined if
   * there is none.
   *
   * @example
   * ```ts
   * for await (const _ of model.generate("Once upon a time", { maxTokens: 20 }));
   * const session = await model.saveSession();
   * if (session) {
   *   const ids = await model.restoreSession(session);
   *   console.log(await model.decode(ids.slice(0, 5))); // Once upon a time
   * }
   * ```
   */
  saveSession(options?: SaveSessionOptions): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /**
   * Puts back a session from `saveSession`: the conversation continues as if it had just been answered.
   * Resolves to its token ids.
   *
   * @throws SessionError if the bytes are damaged, or of another model, weight format or cache format
   */
  restoreSession(session: Uint8Array<ArrayBuffer>): Promise<readonly number[]>;
  /**
   * Loads a LoRA adapter in PEFT's format, for calls with the option `adapter`. Running answers pause while
   * it is put on the GPU. It stays beside the weights, which may be in any format; other calls do not use it.
   *
   * @param name to call it by; not the name of another adapter
   * @param source of `adapter_config.json` and `adapter_model.safetensors`: as for `loadModel`
   * @throws RangeError if the name is taken
   * @throws CheckpointError if the adapter is of another model, or has something that is not supported
   * @throws DeviceError if the GPU has no room for it
   */
  addAdapter(name: string, source: AdapterSource, options?: AddAdapterOptions): Promise<void>;
  /**
   * Removes an adapter, and what the cache holds of it.
   *
   * @throws RangeError if no adapter has the name, or a call uses it
   */
  removeAdapter(name: string): Promise<void>;
  /** What the model is doing now, and counts since it was loaded. */
  activity(): Promise<Activity>;
  /**
   * Frees the GPU memory. Calls that run and all later ones end with a `DeviceLostError` of the code
   * "disposed". A second `dispose` does nothing.
   */
  dispose(): void;
}
