import { AddedTokenMatcher } from "./added-tokens.ts";
import type { ChatMessage } from "./chat-message.ts";
import type { ChatTemplate, RenderOptions } from "./chat-template.ts";
import { ContentGuard } from "./content-guard.ts";
import { ChatTemplateError } from "./errors.ts";
import { type Companions, readCompanions } from "./huggingface/companion-files.ts";
import { readDecoder } from "./huggingface/decoder-rules.ts";
import { readPostProcessor } from "./huggingface/post-processor.ts";
import { type AddedToken, readTokenizerFile, type TokenizerFile } from "./huggingface/tokenizer-file.ts";
import { PieceTable } from "./piece-table.ts";
import { StreamDecoder } from "./stream-decoder.ts";
import { TextModel } from "./text-model.ts";

/** Files of a checkpoint, parsed but not trusted. */
export interface TokenizerFiles {
  /** tokenizer.json */
  readonly tokenizer: unknown;
  /** tokenizer_config.json */
  readonly tokenizerConfig?: unknown;
  /** special_tokens_map.json */
  readonly specialTokensMap?: unknown;
  /** chat_template.jinja, which wins over the template in tokenizer_config.json */
  readonly chatTemplate?: string | undefined;
}

export interface EncodeOptions {
  /** Put the beginning-of-sequence token first, unless the text does. Default: whether the tokenizer adds one. */
  readonly bos?: boolean | undefined;
  /** Put what the tokenizer has for it behind the text: an end-of-sequence token, in few. Default true; false where the text goes on. */
  readonly suffix?: boolean | undefined;
  /**
   * Read control tokens in the text ("</s>", "[INST]") as such rather than as text. Default true, for prompts
   * written by hand in the model's own format; pass false for text that comes from elsewhere.
   */
  readonly special?: boolean | undefined;
}

export type ChatEncodeOptions = Pick<
  RenderOptions,
  "addGenerationPrompt" | "continueFinalMessage" | "onWarning"
>;

export interface DecodeOptions {
  /** Leave special tokens out. Default true. */
  readonly skipSpecial?: boolean | undefined;
  /** The ids go on from earlier ones: keep the space they begin with. Default false. */
  readonly continues?: boolean | undefined;
}

/** A chat template, parsed, or why it cannot be used. */
type TemplateReader = (source: string) => ChatTemplate | ChatTemplateError;

/** Text to ids and back, for one checkpoint. Text is never cleaned up: it is what the tokens say. */
export class Tokenizer {
  /** Beginning and end of a sequence; undefined where the files name none. */
  readonly bosId: number | undefined;
  readonly eosId: number | undefined;
  /** The files name the end; otherwise `eosId` is that of "</s>", where the vocabulary has one. */
  readonly namesEos: boolean;
  /** One more than the highest id. */
  readonly size: number;
  readonly #model: TextModel;
  readonly #table: PieceTable;
  readonly #companions: Companions;
  /** Ids before and after a text. */
  readonly #prefix: readonly number[];
  readonly #suffix: readonly number[];
  readonly #controls: AddedTokenMatcher;
  /** What control tokens begin with. */
  readonly #firsts: ReadonlySet<string>;
  /** Judged when the files are read: why there can be no chat is known then, and thrown when somebody chats. */
  readonly #template: ChatTemplate | ChatTemplateError;

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
    this.#template = chatTemplate && template ? template(chatTemplate) : noTemplate(otherTemplates);
    this.#model = new TextModel(file);
    this.#table = new PieceTable(file.tokens, added, readDecoder(file.decoder));
    const controls = file.addedTokens.filter(isControl);
    this.#controls = new AddedTokenMatcher(controls);
    this.#firsts = new Set(controls.flatMap(({ content }) => Array.from(content).slice(0, 1)));
  }

  /**
   * Checks the files; throws a TokenizerError that names the file and field at fault. The code that renders chat templates is
   * fetched where they have one.
   */
  static async open(files: TokenizerFiles): Promise<Tokenizer> {
    const companions = companionsOf(files);
    const rendering = companions.chatTemplate === undefined ? undefined : await import("./chat-template.ts");
    return new Tokenizer(readTokenizerFile(files.tokenizer), companions, rendering?.readChatTemplate);
  }

  /** As `open`, at once, with the code that reads chat templates. */
  static from(files: TokenizerFiles, template?: TemplateReader): Tokenizer {
    return new Tokenizer(readTokenizerFile(files.tokenizer), companionsOf(files), template);
  }

  /** Whether `encodeChat` can work: there is a template, and all that it uses can be rendered. */
  get hasChatTemplate(): boolean {
    return !(this.#template instanceof ChatTemplateError);
  }

  encode(text: string, options: EncodeOptions = {}): number[] {
    return drain(this.encodeSteps(text, options));
  }

  /** `encode` in many small steps: what runs it may do other work between any two. */
  *encodeSteps(
    text: string,
    { bos = this.#prefix.length > 0, suffix = true, special = true }: EncodeOptions = {},
  ): Generator<undefined, number[]> {
    const guard = special ? undefined : this.#guard([text]);
    const ids = yield* this.#model.encode(guard ? yield* guard.hide(text) : text, guard);
    const own = this.bosId === undefined ? [] : [this.bosId];
    const prefix = bos ? (this.#prefix.length > 0 ? this.#prefix : own) : [];
    // A prompt that spells out its "<s>" means that one, not two.
    const spelled = prefix.length > 0 && prefix.every((id, i) => ids[i] === id);
    if (!spelled) ids.unshift(...prefix);
    if (suffix && (bos || this.#prefix.length === 0)) ids.push(...this.#suffix);
    return ids;
  }

  /**
   * A conversation, rendered with the checkpoint's chat template. The template's control tokens become control
   * tokens; the same characters in a message stay characters, so no message can end its turn or open another.
   */
  encodeChat(messages: readonly ChatMessage[], options: ChatEncodeOptions = {}): number[] {
    return drain(this.encodeChatSteps(messages, options));
  }

  /** `encodeChat` in many small steps. */
  *encodeChatSteps(
    messages: readonly ChatMessage[],
    options: ChatEncodeOptions = {},
  ): Generator<undefined, number[]> {
    if (this.#template instanceof ChatTemplateError) throw this.#template;
    const { chatTemplate, bosToken, eosToken } = this.#companions;
    const contents = messages.map(({ content }) => String(content));
    const guard = this.#guard(contents, chatTemplate);
    let hidden = messages;
    if (guard) {
      const all: ChatMessage[] = [];
      for (const { role, content } of messages) all.push({ role, content: yield* guard.hide(content) });
      hidden = all;
    }
    const verbatim = guard?.standIns ?? "";
    const text = this.#template.render(hidden, { ...options, bosToken, eosToken, verbatim });
    const ids = yield* this.#model.encode(text, guard);
    if (ids.length === 0)
      throw new ChatTemplateError(
        "chat template: expected a text for these messages, got none. Add a user's message, or use a plain prompt.",
      );
    return ids;
  }

  decode(ids: Iterable<number>, options: DecodeOptions = {}): string {
    return drain(this.decodeSteps(ids, options));
  }

  /** `decode` in many small steps. */
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

  /** Decodes ids as they come; see StreamDecoder. */
  stream({ skipSpecial = true, continues = false }: DecodeOptions = {}): StreamDecoder {
    return new StreamDecoder(this.#table, skipSpecial, continues);
  }

  /** Whether the vocabulary names this id: it may have holes. */
  names(id: number): boolean {
    return this.#table.has(id);
  }

  /** The token as the vocabulary spells it ("▁the", "<0x0A>"). */
  tokenText(id: number): string {
    return this.#table.token(id);
  }

  /** undefined where no text holds what a control token begins with: then there is nothing to hide. */
  #guard(texts: readonly string[], around = ""): ContentGuard | undefined {
    const needed = [...this.#firsts].some((first) => texts.some((text) => text.includes(first)));
    return needed ? new ContentGuard(this.#controls, this.#firsts, [...texts, around]) : undefined;
  }
}

const companionsOf = ({ tokenizerConfig, specialTokensMap, chatTemplate }: TokenizerFiles): Companions =>
  readCompanions(tokenizerConfig, specialTokensMap, chatTemplate);

/** @param others names of templates that are not for plain chat */
function noTemplate(others: readonly string[]): ChatTemplateError {
  const names = others.slice(0, 10).map((name) => JSON.stringify(name.slice(0, 40)));
  return new ChatTemplateError(
    names.length > 0
      ? `chat: expected a chat_template named "default", got only ${names.join(", ")}. Name one of them "default", or use generate with a plain prompt.`
      : "chat: expected a model with a chat_template, got one without (a base model). Use generate with a plain prompt.",
  );
}

/** Runs all steps at once. */
function drain<T>(steps: Generator<undefined, T>): T {
  for (;;) {
    const { value, done } = steps.next();
    if (done) return value;
  }
}

/** What the post-processor adds, with or without the tokenizer's own token where the config says so. */
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
 * Tokens that steer the model. Fine-tunes also ship markers such as "<|im_start|>" without the special flag, so
 * whatever looks like markup counts; runs of blanks and the like stay ordinary vocabulary.
 */
function isControl({ special, content }: AddedToken): boolean {
  return special || /^[<[].*[>\]]$/s.test(content);
}
