// Text, messages or ids of a call -> ids that the model knows; and ids -> text.
import type { Tokenizer } from "../tokenizer/index.ts";
import { type Checkpoint, CheckpointError } from "../weights/index.ts";
import { checkIds, checkKnown, checkList } from "./graph/prompt-ids.ts";
import { shown, wrongType } from "./options/parameter.ts";
import { inSlices } from "./slices.ts";
import type { ChatOptions, EncodeTextOptions, Message } from "./types/answer.ts";
import type { TokenizerInfo } from "./types/reports.ts";
import type { Tool } from "./types/tools.ts";

/** Options of a conversation that decide what the model reads. */
export type PromptOptions = Pick<
  ChatOptions,
  "continueFinalMessage" | "safePrompt" | "signal" | "tools" | "toolChoice"
>;

export class Prompts {
  readonly #checkpoint: Checkpoint;
  readonly #tokenizer: Tokenizer | undefined;

  /** @param tokenizer undefined: only ids can be used */
  constructor(checkpoint: Checkpoint, tokenizer: Tokenizer | undefined) {
    this.#checkpoint = checkpoint;
    this.#tokenizer = tokenizer;
  }

  /** Ids given to a call, at least one. @throws TypeError, RangeError */
  check(ids: readonly number[], parameter = "ids", expected?: string): readonly number[] {
    checkList(ids, parameter, expected);
    checkIds(ids, this.#V, parameter, this.#tokenText);
    return ids;
  }

  /**
   * A text, or ids.
   * @param parameter its name in messages
   * @param suffix whether to add the end token that a few tokenizers add to a text: not if the text continues
   */
  async ofText(
    prompt: string | readonly number[],
    parameter: string,
    suffix: boolean,
    signal: AbortSignal | undefined,
  ): Promise<readonly number[]> {
    if (typeof prompt !== "string") return this.check(prompt, parameter, "a text or a list of token ids");
    const ids = await inSlices(this.#known.encodeSteps(prompt, { suffix }), signal);
    checkIds(ids, this.#V, parameter, this.#tokenText);
    return ids;
  }

  /** Messages, by the chat template. */
  async ofChat(
    messages: readonly Message[],
    asked: PromptOptions = {},
  ): Promise<{ ids: number[]; warnings: string[]; tools: readonly Tool[] }> {
    const { continueFinalMessage = false, safePrompt = false, signal } = asked;
    // A lazy chunk, like the template.
    (await import("./read-messages.ts")).checkMessages(messages);
    await this.#known.readTemplate();
    const warnings: string[] = [];
    const guarded = safePrompt ? (await import("./guard/safe-prompt.ts")).withSafePrompt(messages) : messages;
    const tools = await this.toolsOf(asked);
    const options = {
      tools,
      addGenerationPrompt: !continueFinalMessage,
      continueFinalMessage,
      onWarning: (warning: string) => warnings.push(warning),
    };
    const { withThoughtsApart } = await import("./answer/thinking.ts");
    const sent = withThoughtsApart(guarded, this.#known, continueFinalMessage);
    const ids = await inSlices(this.#known.encodeChatSteps(sent, options), signal);
    checkIds(ids, this.#V, "messages", this.#tokenText);
    return { ids, warnings, tools };
  }

  /** The tools that the model is shown. @throws TypeError, RangeError with `parameter` */
  async toolsOf(asked: PromptOptions): Promise<readonly Tool[]> {
    if (!asked.tools && !asked.toolChoice) return [];
    return (await import("./tools/check.ts")).shownTools(asked, this.#known);
  }

  /** The ids of a text, which may have none. */
  async encode(text: string, { bos, signal }: EncodeTextOptions): Promise<number[]> {
    if (typeof text !== "string") throw wrongType("text", `expected a text, got ${shown(text)}.`);
    const ids = await inSlices(this.#known.encodeSteps(text, { bos, suffix: false }), signal);
    checkKnown(ids, this.#V, "text", this.#tokenText);
    return ids;
  }

  /** The text of ids. Ids of the model that the tokenizer does not name have none. */
  async decode(ids: readonly number[], signal: AbortSignal | undefined): Promise<string> {
    checkList(ids, "ids");
    const tokenizer = this.#known;
    const V = this.#V;
    const named = function* () {
      for (const id of ids) {
        if (tokenizer.has(id)) yield id;
        else checkKnown([id], V, "ids");
      }
    };
    return inSlices(tokenizer.decodeSteps(named()), signal);
  }

  tokenizerInfo(): TokenizerInfo {
    const { bosId, eosId, chatTemplate } = this.#known;
    return {
      ...(bosId !== undefined && { bosToken: this.#known.tokenText(bosId) }),
      ...(eosId !== undefined && { eosToken: this.#known.tokenText(eosId) }),
      ...(chatTemplate !== undefined && { chatTemplate }),
    };
  }

  get #V(): number {
    return this.#checkpoint.config.V;
  }

  /** @throws CheckpointError if the checkpoint has no tokenizer */
  get #known(): Tokenizer {
    if (this.#tokenizer) return this.#tokenizer;
    const { name } = this.#checkpoint.source;
    throw new CheckpointError(
      `${name}: expected tokenizer.json, tekken.json or tokenizer.model, got no such file. Fetch it, or pass token ids.`,
    );
  }

  /** The text of a token, for messages. */
  readonly #tokenText = (id: number): string | undefined =>
    this.#tokenizer?.has(id) ? this.#tokenizer.tokenText(id) : undefined;
}
