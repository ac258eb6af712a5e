import type { ChatMessage } from "./chat-message.ts";
import { cutAfterLastMessage, markLastMessage } from "./continued-message.ts";
import { ChatTemplateError } from "./errors.ts";
import { droppedAssistant, roleOrders } from "./role-orders.ts";
import { TemplateRaised } from "./template/globals.ts";
import { compile, type Program, run } from "./template/interpreter.ts";
import { BudgetExceeded, Unsupported } from "./template/meter.ts";

export interface RenderOptions {
  readonly bosToken?: string | undefined;
  readonly eosToken?: string | undefined;
  /** Ask the template to open the assistant's turn; those of Mistral need no such opening. Default true. */
  readonly addGenerationPrompt?: boolean | undefined;
  /** End the text where the last message ends, which is an assistant's, so that the model goes on with it. Default false. */
  readonly continueFinalMessage?: boolean | undefined;
  /** Told what was changed in the conversation so that the template takes it. */
  readonly onWarning?: ((warning: string) => void) | undefined;
  /** Characters in the contents that stand for others: the template may move them, but no escape may change them. */
  readonly verbatim?: string | undefined;
}

const roles: readonly string[] = ["system", "user", "assistant"];

/** A parsed chat template. */
export class ChatTemplate {
  readonly #source: string;
  readonly #program: Program;

  /** Throws a ChatTemplateError that names what the template uses and is not rendered here. */
  constructor(source: string) {
    this.#source = source;
    this.#program = guarded("a template that can be parsed", () => compile(source));
  }

  /**
   * The conversation as one text, with its control tokens.
   *
   * Templates refuse orders of roles that clients send all the same. What happens when one raises is in role-orders.ts:
   * system messages become one, then the user's; several messages of one role become one; an assistant's greeting at
   * the beginning is dropped, with a warning.
   */
  render(messages: readonly ChatMessage[], options: RenderOptions = {}): string {
    check(messages);
    if (options.continueFinalMessage && messages.at(-1)?.role !== "assistant") {
      throw new ChatTemplateError(
        `chat: expected an assistant's message last to continue, got one of role "${messages.at(-1)?.role}". Add one, or do not ask to continue.`,
      );
    }
    let refusal: unknown;
    for (const order of roleOrders(messages)) {
      try {
        const text = this.#complete(order.messages, options);
        if (order.dropsAssistant) options.onWarning?.(droppedAssistant);
        return text;
      } catch (error) {
        if (!(error instanceof ChatTemplateError && error.cause instanceof TemplateRaised)) throw error;
        refusal ??= error;
      }
    }
    throw refusal;
  }

  #complete(messages: readonly ChatMessage[], options: RenderOptions): string {
    if (!options.continueFinalMessage) return this.#run(messages, options);
    const marked = markLastMessage(messages, this.#source);
    const text = this.#run(marked.messages, { ...options, addGenerationPrompt: false });
    return cutAfterLastMessage(text, marked);
  }

  #run(
    messages: readonly ChatMessage[],
    { bosToken, eosToken, addGenerationPrompt = true, verbatim = "" }: RenderOptions,
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
    // Templates may look through all messages for each of them, and read each content many times.
    const length = messages.reduce((sum, { content }) => sum + content.length, 0);
    const budget = Math.min(1e6 + 16 * messages.length ** 2 + length, 2e7);
    return guarded("a template that renders", () => run(this.#program, variables, { budget, verbatim }));
  }
}

/** Renders a conversation with the text of a chat template. */
export function renderChat(
  template: string,
  messages: readonly ChatMessage[],
  options: RenderOptions = {},
): string {
  return new ChatTemplate(template).render(messages, options);
}

/** The template, parsed, or why it cannot be used. */
export function readChatTemplate(source: string): ChatTemplate | ChatTemplateError {
  try {
    return new ChatTemplate(source);
  } catch (error) {
    if (error instanceof ChatTemplateError) return error;
    throw error;
  }
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

/** Whatever goes wrong in a template becomes a ChatTemplateError that says which kind of failure it was. */
function guarded<T>(expected: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const short = reason.length > 300 ? `${reason.slice(0, 300)}…` : reason;
    const [wanted, got, todo] =
      error instanceof TemplateRaised
        ? ["messages that the template takes", `its refusal: "${short}"`, "Change the messages."]
        : error instanceof Unsupported
          ? ["what can be rendered as Python does", short, "Use another template, or generate."]
          : [
              expected,
              error instanceof BudgetExceeded ? short : `the error "${short}"`,
              "Use another template.",
            ];
    throw new ChatTemplateError(`chat template: expected ${wanted}, got ${got}. ${todo}`, { cause: error });
  }
}
