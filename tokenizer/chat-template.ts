import { ChatTemplateError } from "./errors.ts";
import { BudgetExceeded, compile, type Program, run, TemplateRaised } from "./template-interpreter.ts";

/** One turn of a conversation. */
export interface ChatMessage {
  readonly role: "system" | "user" | "assistant";
  readonly content: string;
}

export interface RenderOptions {
  readonly bosToken?: string | undefined;
  readonly eosToken?: string | undefined;
  /** Ask the template to open the assistant's turn; those of Mistral need no such opening. Default true. */
  readonly addGenerationPrompt?: boolean | undefined;
}

const roles: readonly string[] = ["system", "user", "assistant"];

/** A parsed chat template. */
export class ChatTemplate {
  readonly #program: Program;

  constructor(source: string) {
    this.#program = guarded("a template that can be parsed", () => compile(source));
  }

  /**
   * The conversation as one text, with its control tokens.
   *
   * The first templates of Mistral-Instruct v0.1 and v0.2 refuse a system message. Their later revisions, and
   * Mistral's own tokenizer library, put it before the first user message with an empty line between; so that is
   * what happens here when a template raises. (v0.3 takes a system message itself, and puts it before the last.)
   */
  render(messages: readonly ChatMessage[], options: RenderOptions = {}): string {
    check(messages);
    try {
      return this.#run(messages, options);
    } catch (error) {
      const folded = foldSystem(messages);
      if (!(error instanceof ChatTemplateError && error.cause instanceof TemplateRaised && folded))
        throw error;
      return this.#run(folded, options);
    }
  }

  #run(
    messages: readonly ChatMessage[],
    { bosToken, eosToken, addGenerationPrompt = true }: RenderOptions,
  ): string {
    const variables = {
      messages: messages.map(({ role, content }) => ({ role, content })),
      // What transformers passes when there are none.
      tools: null,
      documents: null,
      add_generation_prompt: addGenerationPrompt,
      ...(bosToken !== undefined && { bos_token: bosToken }),
      ...(eosToken !== undefined && { eos_token: eosToken }),
    };
    // Templates may look through all messages for each of them.
    const budget = Math.min(5e5 + 16 * messages.length ** 2, 2e7);
    return guarded("a template that renders", () => run(this.#program, variables, budget));
  }
}

/** Renders a conversation with the text of a chat template. */
export function renderChat(
  template: string | undefined,
  messages: readonly ChatMessage[],
  options: RenderOptions = {},
): string {
  return requireTemplate(template).render(messages, options);
}

/** Parses a template, or says that there is none. @param others names of templates that are not for plain chat */
export function requireTemplate(template: string | undefined, others: readonly string[] = []): ChatTemplate {
  if (template !== undefined) return new ChatTemplate(template);
  if (others.length > 0)
    throw new ChatTemplateError(
      `chat: expected a chat_template named "default", got ${others.join(", ").slice(0, 200)}. Use generate with a plain prompt.`,
    );
  throw new ChatTemplateError(
    "chat: expected a model with a chat_template, got one without (a base model). Use generate with a plain prompt.",
  );
}

function check(messages: readonly ChatMessage[]): void {
  if (messages.length === 0)
    throw new ChatTemplateError("chat: expected messages, got none. Start with a user's.");
  messages.forEach(({ role, content }, i) => {
    const where = `chat messages[${i}]`;
    if (!roles.includes(role)) {
      throw new ChatTemplateError(
        `${where}.role: expected ${roles.join(", ")}, got ${JSON.stringify(role)?.slice(0, 60)}. Name one of these.`,
      );
    }
    if (typeof content !== "string") {
      throw new ChatTemplateError(`${where}.content: expected a text, got ${typeof content}. Pass a string.`);
    }
  });
}

/** The conversation with its system message written before the first user message, where it has both. */
function foldSystem(messages: readonly ChatMessage[]): readonly ChatMessage[] | undefined {
  const [system, user, ...rest] = messages;
  if (system?.role !== "system" || user?.role !== "user") return undefined;
  return [{ role: "user", content: `${system.content}\n\n${user.content}` }, ...rest];
}

/** Whatever the template library throws becomes a ChatTemplateError that says which kind of failure it was. */
function guarded<T>(expected: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const short = reason.length > 300 ? `${reason.slice(0, 300)}…` : reason;
    const [got, todo] =
      error instanceof TemplateRaised
        ? [`its refusal: "${short}"`, "Change the messages."]
        : error instanceof BudgetExceeded
          ? [short, "Use another template."]
          : [`the error "${short}"`, "Use another template."];
    const wanted = error instanceof TemplateRaised ? "messages that the template takes" : expected;
    throw new ChatTemplateError(`chat template: expected ${wanted}, got ${got}. ${todo}`, { cause: error });
  }
}
