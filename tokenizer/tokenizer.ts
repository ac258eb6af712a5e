import { AddedTokenMatcher } from "./added-tokens.ts";
import type { ChatMessage } from "./chat-message.ts";
import type { ChatTemplate, RenderOptions } from "./chat-template.ts";
import { ContentGuard } from "./content-guard.ts";
import { ChatTemplateError } from "./errors.ts";
import { hideAll, textsOf } from "./guarded-chat.ts";
import { type Companions, readCompanions } from "./huggingface/companion-files.ts";
import { readDecoder } from "./huggingface/decoder-rules.ts";
import { readPostProcessor } from "./huggingface/post-processor.ts";
import { type AddedToken, readTokenizerFile, type TokenizerFile } from "./huggingface/tokenizer-file.ts";
import { PieceTable } from "./piece-table.ts";
import { StreamDecoder } from "./stream-decoder.ts";
import { TextModel } from "./text-model.ts";

/** The tokenizer files of a checkpoint: parsed JSON, not yet checked. */
export interface TokenizerFiles {
  /** tokenizer.json */
  readonly tokenizer: unknown;
  /** tokenizer_config.json */
  readonly tokenizerConfig?: unknown;
  /** special_tokens_map.json */
  readonly specialTokensMap?: unknown;
  /** chat_template.jinja, which overrides the template in tokenizer_config.json */
  readonly chatTemplate?: string | undefined;
}

export interface EncodeOptions {
  /** Begin with the beginning-of-sequence token, unless the text does. Default: as the tokenizer does. */
  readonly bos?: boolean | undefined;
  /**
   * Append the tokens that the tokenizer adds after a text: for a few models the end-of-sequence token.
   * Default true; pass false for a text that is to be continued.
   */
  readonly suffix?: boolean | undefined;
  /**
   * Read control tokens in the text ("</s>", "[INST]") as tokens rather than as plain text. Default true, for
   * prompts written by hand in the model's own format. Pass false for text from users.
   */
  readonly special?: boolean | undefined;
}

export type ChatEncodeOptions = Pick<
  RenderOptions,
  "addGenerationPrompt" | "continueFinalMessage" | "onWarning" | "tools"
>;

export interface DecodeOptions {
  /** Leave out special tokens. Default true. */
  readonly skipSpecial?: boolean | undefined;
  /** The ids follow earlier ones: keep a leading space. Default false. */
  readonly continues?: boolean | undefined;
}

/** Parses a chat template, or returns why it cannot be used. */
type TemplateReader = (source: string) => ChatTemplate | ChatTemplateError;

/** Converts text to ids and back, for one checkpoint. Decoded text is exactly the tokens' text. */
export class Tokenizer {
  /** Ids of the beginning and the end of a sequence; undefined if the files name none. */
  readonly bosId: number | undefined;
  readonly eosId: number | undefined;
  /** Whether the files name the end token. If not, `eosId` is the id of "</s>", if the vocabulary has it. */
  readonly namesEos: boolean;
  /** The highest id plus one. */
  readonly size: number;
  /** Tokens that are found before a text is split into words. */
  readonly addedTokens: readonly AddedToken[];
  readonly #model: TextModel;
  readonly #table: PieceTable;
  readonly #companions: Companions;
  /** Ids that are added before and after a text. */
  readonly #prefix: readonly number[];
  readonly #suffix: readonly number[];
  readonly #controls: AddedTokenMatcher;
  readonly #controlIds: ReadonlySet<number>;
  /** The first characters of control tokens. */
  readonly #firsts: ReadonlySet<string>;
  /** The template, or the error that encodeChat throws; undefined until `readTemplate`. */
  #template: ChatTemplate | ChatTemplateError | undefined;

  private constructor(file: TokenizerFile, companions: Companions, template: TemplateReader | undefined) {
    const added = new Map(file.addedTokens.map((token) => [token.id, token]));
    const { prefix, suffix } = readPostProcessor(file.postProcessor, file.tokens);
    const { bosToken = file.tokens[prefix[0] ?? -1], eosToken = "</s>", addBos, addEos } = companions;
    this.bosId = idOf(file, bosToken);
    this.eosId = idOf(file, eosToken);
    this.namesEos = companions.eosToken !== undefined;
    this.size = file.tokens.length;
    this.#companions = { ...companions, bosToken, eosToken: this.eosId === undefined ? undefined : eosToken };
    this.#prefix = withOwn(prefix, prefix[0], this.bosId, addBos);
    this.#suffix = withOwn(suffix, suffix.at(-1), this.eosId, addEos);
    const { chatTemplate, otherTemplates } = companions;
    this.#template = chatTemplate ? template?.(chatTemplate) : noTemplate(otherTemplates);
    this.addedTokens = file.addedTokens;
    this.#model = new TextModel(file);
    this.#table = new PieceTable(file.tokens, added, readDecoder(file.decoder));
    const controls = file.addedTokens.filter(isControl);
    this.#controls = new AddedTokenMatcher(controls);
    this.#controlIds = new Set(controls.map(({ id }) => id));
    this.#firsts = new Set(controls.flatMap(({ content }) => Array.from(content).slice(0, 1)));
  }

  /**
   * Checks the files and makes a tokenizer.
   * @param template reads the chat template at once. Default: `readTemplate` does
   * @throws TokenizerError naming the file and the field at fault
   */
  static from(files: TokenizerFiles, template?: TemplateReader): Tokenizer {
    return new Tokenizer(readTokenizerFile(files.tokenizer), companionsOf(files), template);
  }

  /** Reads the chat template, before the first `encodeChat`. Its code is a lazy chunk, fetched here. */
  async readTemplate(): Promise<void> {
    const { chatTemplate } = this.#companions;
    if (this.#template || !chatTemplate) return;
    const { readChatTemplate } = await import("./chat-template.ts");
    this.#template ??= readChatTemplate(chatTemplate);
  }

  /** Source of the chat template; undefined if there is none. */
  get chatTemplate(): string | undefined {
    return this.#companions.chatTemplate;
  }

  /** Whether the template that was read can be used: all of its features are supported. */
  get hasChatTemplate(): boolean {
    return this.#template !== undefined && !(this.#template instanceof ChatTemplateError);
  }

  /** The ids of a text. */
  encode(text: string, options: EncodeOptions = {}): number[] {
    return drain(this.encodeSteps(text, options));
  }

  /** `encode` in small steps: the caller may do other work after each yield. */
  *encodeSteps(
    text: string,
    { bos = this.#prefix.length > 0, suffix = true, special = true }: EncodeOptions = {},
  ): Generator<undefined, number[]> {
    const guard = special ? undefined : this.#guard([text]);
    const ids = yield* this.#model.encode(guard ? yield* guard.hide(text) : text, guard);
    const own = this.bosId === undefined ? [] : [this.bosId];
    const prefix = bos ? (this.#prefix.length > 0 ? this.#prefix : own) : [];
    // A prompt that already begins with "<s>" gets no second one.
    const spelled = prefix.length > 0 && prefix.every((id, i) => ids[i] === id);
    if (!spelled) ids.unshift(...prefix);
    if (suffix && (bos || this.#prefix.length === 0)) ids.push(...this.#suffix);
    return ids;
  }

  /**
   * The ids of a conversation, rendered with the checkpoint's chat template. The template's control tokens
   * become control tokens. The same characters in a message stay text, so no message can end its turn or
   * begin another.
   * @throws ChatTemplateError if there is no template, it fails, or it refuses the messages
   */
  encodeChat(messages: readonly ChatMessage[], options: ChatEncodeOptions = {}): number[] {
    return drain(this.encodeChatSteps(messages, options));
  }

  /** `encodeChat` in small steps: the caller may do other work after each yield. */
  *encodeChatSteps(
    messages: readonly ChatMessage[],
    options: ChatEncodeOptions = {},
  ): Generator<undefined, number[]> {
    const template = this.#template;
    if (!template) throw new Error("tokenizer: expected readTemplate before encodeChat.");
    if (template instanceof ChatTemplateError) throw template;
    const { chatTemplate, bosToken, eosToken } = this.#companions;
    const given = { messages, tools: options.tools };
    const guard = this.#guard(textsOf(given), chatTemplate);
    const hidden = guard ? yield* hideAll(given, guard) : given;
    const verbatim = guard?.placeholders ?? "";
    const { tools } = hidden;
    const text = template.render(hidden.messages, { ...options, tools, bosToken, eosToken, verbatim });
    const ids = yield* this.#model.encode(text, guard);
    if (ids.length === 0)
      throw new ChatTemplateError(
        "chat template: expected a text for these messages, got none. Add a user message, or use a plain prompt.",
        { code: "refused-messages" },
      );
    return ids;
  }

  /** The text of the ids. @throws RangeError for an id without a token */
  decode(ids: Iterable<number>, options: DecodeOptions = {}): string {
    return drain(this.decodeSteps(ids, options));
  }

  /** `decode` in small steps: the caller may do other work after each yield. */
  *decodeSteps(ids: Iterable<number>, options: DecodeOptions = {}): Generator<undefined, string> {
    const decoder = this.stream(options);
    const parts: string[] = [];
    let pieces: string[] = [];
    for (const id of ids) {
      pieces.push(decoder.push(id));
      if (pieces.length < 1000) continue;
      parts.push(pieces.join(""));
      pieces = [];
      yield;
    }
    parts.push(pieces.join(""), decoder.end());
    return parts.join("");
  }

  /** A decoder that takes ids one at a time; see StreamDecoder. */
  stream({ skipSpecial = true, continues = false }: DecodeOptions = {}): StreamDecoder {
    return new StreamDecoder(this.#table, skipSpecial, continues);
  }

  /** Whether the id has a token: a vocabulary may have holes. */
  has(id: number): boolean {
    return this.#table.has(id);
  }

  /** Whether the token steers the model, so that no text has it. */
  isControl(id: number): boolean {
    return this.#controlIds.has(id);
  }

  /**
   * The token as the vocabulary spells it ("▁the", "<0x0A>").
   * @throws RangeError for an id without a token
   */
  tokenText(id: number): string {
    return this.#table.token(id);
  }

  /** undefined if no text contains the first character of a control token: there is nothing to hide. */
  #guard(texts: readonly string[], around = ""): ContentGuard | undefined {
    const needed = [...this.#firsts].some((first) => texts.some((text) => text.includes(first)));
    return needed ? new ContentGuard(this.#controls, this.#firsts, [...texts, around]) : undefined;
  }
}

const companionsOf = ({ tokenizerConfig, specialTokensMap, chatTemplate }: TokenizerFiles): Companions =>
  readCompanions(tokenizerConfig, specialTokensMap, chatTemplate);

/** @param others names of the templates that are not for plain chat */
function noTemplate(others: readonly string[]): ChatTemplateError {
  const names = others.slice(0, 10).map((name) => JSON.stringify(name.slice(0, 40)));
  return new ChatTemplateError(
    names.length > 0
      ? `chat: expected a chat_template named "default", got only ${names.join(", ")}. Name one of them "default", or use generate with a plain prompt.`
      : "chat: expected a model with a chat_template, got one without (a base model). Use generate with a plain prompt.",
    { code: "no-chat-template" },
  );
}

/** Runs all steps and returns the result. */
function drain<T>(steps: Generator<undefined, T>): T {
  for (;;) {
    const { value, done } = steps.next();
    if (done) return value;
  }
}

/** The ids that the post-processor adds, with `own` added or removed if tokenizer_config.json says so. */
function withOwn(
  ids: readonly number[],
  outer: number | undefined,
  own: number | undefined,
  wanted: boolean | undefined,
): readonly number[] {
  if (wanted === undefined || own === undefined) return ids;
  if (wanted) return outer === own ? ids : [own];
  return ids.filter((id) => id !== own);
}

function idOf({ tokens }: TokenizerFile, token: string | undefined): number | undefined {
  const id = token === undefined ? -1 : tokens.indexOf(token);
  return id < 0 ? undefined : id;
}

/**
 * Whether a token steers the model. Some fine-tunes add markers such as "<|im_start|>" without the special
 * flag, so everything that looks like markup counts. Other added tokens, such as runs of spaces, are ordinary
 * vocabulary.
 */
function isControl({ special, content }: AddedToken): boolean {
  return special || /^[<[].*[>\]]$/s.test(content);
}
