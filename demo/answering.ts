// Starts answers, streams them into their conversation, stops and repeats them.
import type { Adapters } from "./adapters.ts";
import { formatOf } from "./answer-shape.ts";
import { addPieces, wholeCalls } from "./calls.ts";
import type { Conversation, Facts, Turn } from "./conversation.ts";
import type { Conversations } from "./conversations.ts";
import {
  type ChatModel,
  type Chunk,
  type Finish,
  isLocal,
  type Message,
  type Model,
  type Tool,
  type ToolCall,
} from "./engine.ts";
import { messages } from "./messages.ts";
import { Observable } from "./observable.ts";
import type { Session } from "./session.ts";
import type { Settings, SettingValues } from "./settings.ts";
import { type Arrival, speed, spread } from "./speed.ts";
import { moreLeftOut, promptRoom, turnsLeftOut } from "./trimming.ts";
import { codeOf, explain, type Trouble } from "./trouble.ts";

/** The answer in progress. It is added to its conversation when it ends. */
export interface LiveAnswer {
  readonly conversation: string;
  messages: readonly Message[];
  /** The number of turns, from the first, that the model does not see: its context has no room for them. */
  leftOut: number;
  readonly seed: number;
  /** The name of the LoRA adapter that is used. */
  adapter: string | undefined;
  text: string;
  /** What the model thinks before it answers, and when it began and ended to. */
  reasoning: string;
  thoughtFrom: number | undefined;
  thoughtUntil: number | undefined;
  /** The last one may not be whole. */
  readonly calls: ToolCall[];
  /** Its token ids so far, and when they came. */
  readonly ids: number[];
  readonly chunks: Arrival[];
  readonly started: number;
  finish: Finish | undefined;
}

export class Answering extends Observable {
  readonly #conversations: Conversations;
  readonly #session: Session;
  readonly #settings: Settings;
  readonly #adapters: Adapters;
  #stopping: AbortController | undefined;
  #live: LiveAnswer | undefined;
  #trouble: { readonly conversation: string; readonly trouble: Trouble } | undefined;
  /** A model without a chat format: it continues the text. */
  #plainText: Model | undefined;

  constructor(conversations: Conversations, session: Session, settings: Settings, adapters: Adapters) {
    super();
    this.#conversations = conversations;
    this.#session = session;
    this.#settings = settings;
    this.#adapters = adapters;
  }

  get live(): LiveAnswer | undefined {
    return this.#stopping ? this.#live : undefined;
  }

  /** The newest answer, also after it has ended. */
  get latest(): LiveAnswer | undefined {
    return this.#live;
  }

  troubleOf(conversation: string | undefined): Trouble | undefined {
    return this.#trouble?.conversation === conversation ? this.#trouble?.trouble : undefined;
  }

  stop(): void {
    this.#stopping?.abort();
  }

  /**
   * Saves these turns as the conversation and starts the answer. The last turn is a user's.
   * @returns the id of the conversation, at once
   */
  ask(turns: readonly Turn[], id?: string): string {
    const conversation = this.#conversations.put(turns, id, this.#conversations.get(id)?.updated);
    void this.answer(conversation);
    return conversation.id;
  }

  /** From now on this model continues plain texts, without a chat template. */
  continueText(conversation: Conversation): void {
    const { state } = this.#session;
    if (state.kind === "ready" && isLocal(state.model)) this.#plainText = state.model;
    void this.answer(conversation);
  }

  async answer({ id, turns, updated }: Conversation): Promise<void> {
    if (this.#stopping) return;
    const stopping = new AbortController();
    const { values } = this.#settings;
    const live: LiveAnswer = {
      conversation: id,
      messages: messages(turns, values.system),
      leftOut: 0,
      seed: values.seed ?? crypto.getRandomValues(new Uint32Array(1))[0] ?? 0,
      adapter: undefined,
      text: "",
      reasoning: "",
      thoughtFrom: undefined,
      thoughtUntil: undefined,
      calls: [],
      ids: [],
      chunks: [],
      started: performance.now(),
      finish: undefined,
    };
    this.#stopping = stopping;
    this.#live = live;
    this.#trouble = undefined;
    this.#session.restored();
    this.changed();
    let model: ChatModel | undefined;
    try {
      model = await this.#session.model(stopping.signal);
      live.adapter = this.#adapters.chosen;
      const asked = { ...values, tools: await toolsIn(values) };
      await this.#trim(model, live, turns, asked, stopping.signal);
      for await (const chunk of this.#chunks(model, live, turns, asked, stopping.signal)) {
        const afterLoss = this.#session.restored();
        think(live, chunk);
        live.text += chunk.text;
        addPieces(live.calls, chunk.toolCalls);
        live.ids.push(...chunk.ids);
        live.chunks.push({ at: performance.now(), tokens: chunk.ids.length, afterLoss });
        if (chunk.finish) live.finish = chunk.finish;
        this.changed();
      }
    } catch (error) {
      if (!stopping.signal.aborted) this.#fail(id, error, model);
    } finally {
      this.#stopping = undefined;
      // Not if the conversation was deleted meanwhile.
      if (this.#conversations.get(id) && (live.text || live.calls.length > 0 || live.finish)) {
        this.#conversations.put([...turns, answerTurn(live, this.#session.name)], id, updated);
      }
      this.changed();
    }
  }

  /** Leaves the oldest turns out, if the context has no room for all. */
  async #trim(
    model: ChatModel,
    live: LiveAnswer,
    turns: readonly Turn[],
    { system, safePrompt, maxTokens, tools }: Asked,
    signal: AbortSignal,
  ): Promise<void> {
    const before = Math.max(0, ...turns.map(({ leftOut = 0 }) => leftOut));
    const leaveOut = (leftOut: number): void => {
      live.leftOut = leftOut;
      live.messages = messages(turns.slice(leftOut), system);
    };
    if (!isLocal(model)) {
      // A server counts its tokens itself: at first it gets as much as the last time.
      const isSame = turns.findLast(({ facts }) => facts)?.facts?.model === this.#session.name;
      return leaveOut(isSame ? before : 0);
    }
    if (model === this.#plainText) return;
    const room = promptRoom(model.contextLength, maxTokens);
    const tokens = async (leftOut: number) => {
      const prompt = messages(turns.slice(leftOut), system);
      return (await model.encodeChat(prompt, { safePrompt, signal, ...given(tools) })).length;
    };
    leaveOut(await turnsLeftOut(questionsOf(turns), before, room, tokens));
  }

  /** What a server refuses as too long is sent again with fewer turns. */
  async *#chunks(
    model: ChatModel,
    live: LiveAnswer,
    turns: readonly Turn[],
    values: Asked,
    signal: AbortSignal,
  ): AsyncGenerator<Chunk> {
    for (;;) {
      try {
        return yield* this.#asked(model, live, values, signal);
      } catch (error) {
        const isTooLong = codeOf(error) === "context-length" && !isLocal(model);
        const leftOut = isTooLong ? moreLeftOut(questionsOf(turns), live.leftOut) : undefined;
        if (leftOut === undefined) throw error;
        live.leftOut = leftOut;
        live.messages = messages(turns.slice(leftOut), values.system);
      }
    }
  }

  #asked(model: ChatModel, live: LiveAnswer, values: Asked, signal: AbortSignal): AsyncIterable<Chunk> {
    const { temperature, topP, topK, minP, repetitionPenalty, maxTokens, safePrompt, tools } = values;
    const sampling = { temperature, topP, topK, minP, repetitionPenalty, maxTokens };
    const format = formatOf(values.shape, values.shapeText);
    const { seed, adapter } = live;
    const options = {
      ...{ ...sampling, seed, signal },
      ...(format && { format }),
      ...(adapter !== undefined && { adapter }),
    };
    return isLocal(model) && model === this.#plainText
      ? model.generate(plainText(live.messages), options)
      : model.chat(live.messages, { ...options, safePrompt, ...given(tools) });
  }

  #fail(conversation: string, error: unknown, model: ChatModel | undefined): void {
    const { state } = this.#session;
    // No model, or another one by now: the page reports that elsewhere.
    if (state.kind !== "ready" || state.model !== model) return;
    const trouble = explain(error);
    const code = codeOf(error);
    if (code === "device-lost" || code === "disposed") this.#session.lost(trouble);
    else this.#trouble = { conversation, trouble };
  }
}

/** The settings of an answer, with the tools that they list. */
type Asked = Omit<SettingValues, "tools"> & { readonly tools: readonly Tool[] };

/** @throws TypeError for a list that cannot be read */
const toolsIn = async ({ toolsOn, tools }: SettingValues): Promise<readonly Tool[]> =>
  toolsOn ? (await import("./tools.ts")).toolsOf(tools) : [];

const given = (tools: readonly Tool[]) => (tools.length > 0 ? { tools } : {});

/** The turns that are questions, by index. */
const questionsOf = (turns: readonly Turn[]): number[] =>
  turns.flatMap(({ role }, i) => (role === "user" ? [i] : []));

function think(live: LiveAnswer, { text, reasoning = "", finish }: Chunk): void {
  const now = performance.now();
  live.reasoning += reasoning;
  if (reasoning) live.thoughtFrom ??= now;
  if (live.thoughtFrom !== undefined && (text || finish)) live.thoughtUntil ??= now;
}

/** Seconds that the model has thought; undefined if it has not. */
export const thoughtSeconds = ({ thoughtFrom, thoughtUntil }: LiveAnswer): number | undefined =>
  thoughtFrom === undefined ? undefined : ((thoughtUntil ?? performance.now()) - thoughtFrom) / 1000;

/** The turns joined to one text, with the system prompt first. */
const plainText = (messages: readonly Message[]): string =>
  messages.map(({ role, content }) => (role === "system" ? `${content}\n\n` : content)).join("");

function answerTurn(live: LiveAnswer, model: string): Turn {
  const { text, reasoning, finish, seed, adapter, ids, chunks, leftOut } = live;
  const toolCalls = wholeCalls(live.calls);
  const thought = { text: reasoning, seconds: thoughtSeconds(live) ?? 0 };
  const turn = { role: "assistant", content: text, ...(reasoning && { thought }) } as const;
  const facts: Facts = {
    model,
    ...(adapter !== undefined && { adapter }),
    seed,
    reason: finish?.reason ?? "broken",
    tokens: finish?.completionTokens ?? ids.length,
    ...(finish && { context: finish.promptTokens + finish.completionTokens }),
    firstTokenMs: finish?.prefillMs ?? 0,
    // A server sends no ids: its tokens are spread evenly.
    tokensPerSecond: finish && speed(ids.length > 0 ? chunks : spread(chunks, finish.completionTokens)),
  };
  return { ...turn, ...(toolCalls.length > 0 && { toolCalls }), facts, ...(leftOut > 0 && { leftOut }) };
}
