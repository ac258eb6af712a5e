// A session of the Prompt API: a conversation on a loaded model, which it keeps within the context.
import type { ChatOptions, Finish, Message, Tool, ToolCall } from "../../api.ts";
import { addCalls } from "../added-calls.ts";
import { type AskedFormat, withNames } from "../answer-format.ts";
import { asDomError, domError, quotaExceeded } from "./errors.ts";
import { type ReadPrompt, readConstraint, readPrompt, type Sampling, withConstraint } from "./input.ts";
import type {
  LanguageModelCallOptions,
  LanguageModelPrompt,
  LanguageModelPromptOptions,
  LanguageModelSamplingMode,
  LanguageModelSession,
  LanguageModelTarget,
  LanguageModelTool,
} from "./types.ts";

/** What a session begins with. */
export interface SessionStart {
  readonly model: LanguageModelTarget;
  readonly sampling: Sampling;
  readonly samplingMode: LanguageModelSamplingMode;
  readonly maxTokens: number;
  readonly tools: readonly Tool[];
  /** The page's functions, by the names of the tools. */
  readonly functions: ReadonlyMap<string, LanguageModelTool["execute"]>;
  /** Never removed. */
  readonly initial: readonly Message[];
  /** What follows: a prompt with its answer each. */
  readonly turns: readonly (readonly Message[])[];
  readonly usage: number;
}

interface Round {
  readonly text: string;
  readonly calls: readonly ToolCall[];
  readonly finish: Finish;
}

/** The part of the context that is kept free for an answer, if turns can be removed for it. */
const ROOM_FOR_ANSWER = 1 / 8;

const OVERFLOWS = ["contextoverflow", "quotaoverflow"] as const;

export class Session extends EventTarget implements LanguageModelSession {
  oncontextoverflow: ((event: Event) => unknown) | null = null;
  onquotaoverflow: ((event: Event) => unknown) | null = null;
  readonly #start: SessionStart;
  readonly #end = new AbortController();
  #turns: readonly (readonly Message[])[];
  #usage: number;
  /** Settles when all calls so far have. */
  #last: Promise<unknown> = Promise.resolve();

  /** @throws TypeError without `start`: sessions come from `create` */
  constructor(start?: SessionStart) {
    super();
    if (!start)
      throw new TypeError("LanguageModel: expected no call of the constructor. Use LanguageModel.create().");
    this.#start = start;
    this.#turns = start.turns;
    this.#usage = start.usage;
    for (const type of OVERFLOWS) this.addEventListener(type, (event) => this[`on${type}`]?.(event));
  }

  get contextUsage(): number {
    return this.#usage;
  }
  get contextWindow(): number {
    return this.#start.model.contextLength;
  }
  get inputUsage(): number {
    return this.contextUsage;
  }
  get inputQuota(): number {
    return this.contextWindow;
  }
  get samplingMode(): LanguageModelSamplingMode {
    return this.#start.samplingMode;
  }
  get topK(): number {
    return this.#start.sampling.topK;
  }
  get temperature(): number {
    return this.#start.sampling.temperature;
  }

  async prompt(input: LanguageModelPrompt, options?: LanguageModelPromptOptions): Promise<string> {
    let whole = "";
    await this.#ask(input, options ?? {}, (text) => {
      whole += text;
    });
    return whole;
  }

  promptStreaming(input: LanguageModelPrompt, options?: LanguageModelPromptOptions): ReadableStream<string> {
    const left = new AbortController();
    const signal = either(left.signal, options?.signal);
    return new ReadableStream<string>({
      start: (controller) => {
        const whileRead = (use: () => void) => {
          if (!left.signal.aborted) use();
        };
        const onText = (text: string) => whileRead(() => controller.enqueue(text));
        this.#ask(input, { ...options, signal }, onText).then(
          () => whileRead(() => controller.close()),
          (error: unknown) => controller.error(error),
        );
      },
      cancel: (reason) => left.abort(reason),
    });
  }

  async append(input: LanguageModelPrompt, options?: LanguageModelCallOptions): Promise<undefined> {
    this.#check();
    const { messages, continues } = readPrompt(input);
    if (continues) throw domError("SyntaxError", "prefix: expected none in append. Use it in a prompt.");
    await this.#inTurn(options?.signal, async (signal) => {
      const usage = await this.#makeRoom(messages, 0, signal);
      signal.throwIfAborted();
      this.#turns = [...this.#turns, messages];
      this.#usage = usage;
    });
  }

  async measureContextUsage(
    input: LanguageModelPrompt,
    options?: LanguageModelPromptOptions,
  ): Promise<number> {
    this.#check();
    const { messages } = withFormat(readPrompt(input), readConstraint(options ?? {}), options);
    const signal = either(this.#end.signal, options?.signal);
    const [before, after] = await Promise.all([
      this.#count(this.#history, signal),
      this.#count([...this.#history, ...messages], signal),
    ]);
    return Math.max(0, after - before);
  }

  measureInputUsage(input: LanguageModelPrompt, options?: LanguageModelPromptOptions): Promise<number> {
    return this.measureContextUsage(input, options);
  }

  async clone(options?: LanguageModelCallOptions): Promise<LanguageModelSession> {
    this.#check();
    options?.signal?.throwIfAborted();
    const start = { ...this.#start, turns: this.#turns, usage: this.#usage };
    const copy = Reflect.construct(this.constructor, [start]) as Session;
    copy.endWith(options?.signal);
    return copy;
  }

  destroy(): void {
    this.#end.abort(domError("AbortError", "The session was destroyed."));
  }

  /** The signal that a session was made with ends it later. */
  endWith(signal: AbortSignal | undefined): void {
    signal?.addEventListener("abort", () => this.#end.abort(signal.reason), { signal: this.#end.signal });
  }

  get #history(): readonly Message[] {
    return [...this.#start.initial, ...this.#turns.flat()];
  }

  #check(): void {
    if (this.#end.signal.aborted)
      throw domError("InvalidStateError", "The session was destroyed. Create another one.");
  }

  async #ask(
    input: LanguageModelPrompt,
    options: LanguageModelPromptOptions,
    onText: (text: string) => void,
  ): Promise<void> {
    this.#check();
    const asked = readConstraint(options);
    const { messages, continues } = withFormat(readPrompt(input), asked, options);
    await this.#inTurn(options.signal, async (signal) => {
      await this.#makeRoom(messages, Math.floor(this.contextWindow * ROOM_FOR_ANSWER), signal);
      const turn: Message[] = [...messages];
      for (let goesOn = continues; ; goesOn = false) {
        const round = await this.#round(turn, asked, goesOn, signal, onText);
        if (asked && round.finish.reason === "length")
          throw domError("SyntaxError", "The answer was cut off before it met its responseConstraint.");
        const { text, calls, finish } = round;
        const begun = goesOn ? turn.pop()?.content : "";
        turn.push({
          role: "assistant",
          content: `${begun}${text}`,
          ...(calls.length > 0 && { toolCalls: calls }),
        });
        if (calls.length === 0) {
          this.#turns = [...this.#turns, turn];
          this.#usage = finish.promptTokens + finish.completionTokens;
          return;
        }
        turn.push(...(await Promise.all(calls.map((call) => this.#run(call)))));
        signal.throwIfAborted();
      }
    });
  }

  /** One answer of the model, which may be calls of tools. */
  async #round(
    turn: readonly Message[],
    asked: AskedFormat | undefined,
    continueFinalMessage: boolean,
    signal: AbortSignal,
    onText: (text: string) => void,
  ): Promise<Round> {
    const { model, sampling, maxTokens, tools } = this.#start;
    const options: ChatOptions = {
      ...{ ...sampling, topP: 1, maxTokens, signal },
      ...(continueFinalMessage && { continueFinalMessage }),
      ...(asked && { format: asked.format }),
      ...(tools.length > 0 && { tools }),
    };
    let text = "";
    const calls: ToolCall[] = [];
    try {
      for await (const chunk of withNames(model.chat([...this.#history, ...turn], options), asked)) {
        signal.throwIfAborted();
        text += chunk.text;
        addCalls(calls, chunk.toolCalls);
        if (chunk.text !== "") onText(chunk.text);
        const { finish } = chunk;
        if (finish) return { text, calls: finish.reason === "tool-calls" ? calls : [], finish };
      }
    } catch (error) {
      signal.throwIfAborted();
      if ((error as Error).name === "ContextLengthError")
        throw quotaExceeded(await this.#count([...this.#history, ...turn], signal), this.contextWindow);
      throw asDomError(error, "UnknownError");
    }
    throw domError("UnknownError", "The answer ended without a reason.");
  }

  async #run({ id, name, arguments: text }: ToolCall): Promise<Message> {
    const result = await this.#start.functions.get(name)?.(JSON.parse(text));
    const content = typeof result === "string" ? result : (JSON.stringify(result) ?? "null");
    return { role: "tool", content, toolCallId: id, name };
  }

  /**
   * Removes the oldest turns until `added` fits, with room for the answer.
   * @returns tokens of the conversation with `added`
   * @throws DOMException `QuotaExceededError` if `added` alone is too long; then nothing is removed
   */
  async #makeRoom(added: readonly Message[], room: number, signal: AbortSignal): Promise<number> {
    const { initial } = this.#start;
    const window = this.contextWindow;
    for (let turns = this.#turns; ; turns = turns.slice(1)) {
      const count = await this.#count([...initial, ...turns.flat(), ...added], signal);
      if (count + room > window && turns.length > 0) continue;
      if (count > window) throw quotaExceeded(count, window);
      const removed = turns.length < this.#turns.length;
      this.#turns = turns;
      for (const type of removed ? OVERFLOWS : []) this.dispatchEvent(new Event(type));
      return count;
    }
  }

  async #count(messages: readonly Message[], signal: AbortSignal): Promise<number> {
    const { model, tools } = this.#start;
    return countTokens(model, messages, tools, signal);
  }

  /** Runs `work` after all calls before it. An abort ends the wait at once. */
  #inTurn<T>(given: AbortSignal | undefined, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const signal = either(this.#end.signal, given);
    const before = this.#last;
    const result = (async () => {
      signal.throwIfAborted();
      await before;
      signal.throwIfAborted();
      return work(signal);
    })();
    this.#last = Promise.allSettled([before, result]);
    const aborted = new Promise<never>((_, reject) =>
      signal.addEventListener("abort", () => reject(signal.reason), { once: true }),
    );
    return Promise.race([result, aborted]);
  }
}

const either = (a: AbortSignal, b: AbortSignal | undefined): AbortSignal => AbortSignal.any(b ? [a, b] : [a]);

/** The prompt as the model reads it. */
const withFormat = (
  prompt: ReadPrompt,
  asked: AskedFormat | undefined,
  options: LanguageModelPromptOptions | undefined,
): ReadPrompt =>
  asked && !options?.omitResponseConstraintInput
    ? { ...prompt, messages: withConstraint(prompt.messages, asked) }
    : prompt;

/** Tokens of a conversation. A chat template may refuse a part of one: then the texts are counted. */
export async function countTokens(
  model: LanguageModelTarget,
  messages: readonly Message[],
  tools: readonly Tool[],
  signal: AbortSignal,
): Promise<number> {
  if (messages.length === 0) return 0;
  try {
    return (await model.encodeChat(messages, { signal, ...(tools.length > 0 && { tools }) })).length;
  } catch (error) {
    signal.throwIfAborted();
    if ((error as Error).name !== "ChatTemplateError") throw asDomError(error, "UnknownError");
    const texts = messages.map(({ content }) => content).join("\n");
    return (await model.encode(texts, { signal })).length;
  }
}
