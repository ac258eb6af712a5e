import type { ChatMessage, ChatTool } from "./chat-message.ts";
import { cutAfterLastMessage, markLastMessage } from "./continued-message.ts";
import { ChatTemplateError } from "./errors.ts";
import { textsOf } from "./guarded-chat.ts";
import { droppedAssistant, roleOrders } from "./role-orders.ts";
import { TemplateRaised } from "./template/globals.ts";
import { compile, type Program, run } from "./template/interpreter.ts";
import { BudgetExceeded, Unsupported } from "./template/meter.ts";
import { checkTools, messageVariables, toolVariables } from "./template-variables.ts";

export interface RenderOptions {
  readonly bosToken?: string | undefined;
  readonly eosToken?: string | undefined;
  /** Ask the template to open the assistant's turn. Mistral's templates ignore it. Default true. */
  readonly addGenerationPrompt?: boolean | undefined;
  /**
   * End the text where the last message ends, so that the model continues it. That message must be the
   * assistant's. Default false.
   */
  readonly continueFinalMessage?: boolean | undefined;
  /** Functions that the model may ask for. Default none. */
  readonly tools?: readonly ChatTool[] | undefined;
  /** Called with what had to be changed in the conversation for the template to accept it. */
  readonly onWarning?: ((warning: string) => void) | undefined;
  /**
   * Placeholder characters in the contents. The template may move them, but never escapes them. Default none.
   */
  readonly verbatim?: string | undefined;
}

/** A template that Sirocco chose says so in its first comment. */
const NOTICE = /^\{#- notice: (.*?) #\}/;

const roles: readonly string[] = ["system", "user", "assistant", "tool"];

/** A parsed chat template. */
export class ChatTemplate {
  readonly #source: string;
  readonly #program: Program;

  /**
   * @throws ChatTemplateError if the template cannot be parsed, or naming the feature that is not supported
   */
  constructor(source: string) {
    this.#source = source;
    this.#program = guarded("a template that can be parsed", () => compile(source));
  }

  /**
   * Renders a conversation as one text, with the template's control tokens.
   *
   * Some clients send orders of roles that templates refuse. If the template raises, role-orders.ts has the
   * orders to try next: adjacent messages of one role are merged, the system message joins the first user
   * message, and an assistant's greeting at the start is dropped, with a warning.
   *
   * @throws ChatTemplateError if the template raises for every order, fails, exceeds its budget, or knows no
   * tools and there are some
   */
  render(messages: readonly ChatMessage[], options: RenderOptions = {}): string {
    check(messages);
    checkTools(messages, options.tools, this.#source);
    if (options.continueFinalMessage && messages.at(-1)?.role !== "assistant") {
      throw new ChatTemplateError(
        `chat: expected the assistant's message to continue at the end, got role "${messages.at(-1)?.role}". Add one, or do not ask to continue it.`,
        { code: "refused-messages" },
      );
    }
    let refusal: unknown;
    for (const order of roleOrders(messages)) {
      try {
        const text = this.#complete(order.messages, options);
        const notice = NOTICE.exec(this.#source)?.[1];
        if (notice !== undefined) options.onWarning?.(notice);
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
    { bosToken, eosToken, addGenerationPrompt = true, verbatim = "", tools }: RenderOptions,
  ): string {
    const variables = {
      messages: messageVariables(messages, this.#source),
      tools: toolVariables(tools),
      // As with tools, transformers passes null when there are none.
      documents: null,
      add_generation_prompt: addGenerationPrompt,
      ...(bosToken !== undefined && { bos_token: bosToken }),
      ...(eosToken !== undefined && { eos_token: eosToken }),
    };
    // A template may loop over all messages for each message, and read each content many times.
    const length = textsOf({ messages, tools }).reduce((sum, text) => sum + text.length, 0);
    const budget = Math.min(1e6 + 16 * messages.length ** 2 + length, 2e7);
    return guarded("a template that renders", () => run(this.#program, variables, { budget, verbatim }));
  }
}

/** Parses a chat template and renders a conversation with it. */
export function renderChat(
  template: string,
  messages: readonly ChatMessage[],
  options: RenderOptions = {},
): string {
  return new ChatTemplate(template).render(messages, options);
}

/** Parses a template. Returns the error if the template cannot be used: it is thrown when somebody chats. */
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
    throw new ChatTemplateError("chat: expected messages, got none. Start with a user message.", {
      code: "refused-messages",
    });
  messages.forEach(({ role, content, reasoning = "", toolCalls = [] }, i) => {
    const where = `chat messages[${i}]`;
    if (!roles.includes(role)) {
      throw new ChatTemplateError(
        `${where}.role: expected ${roles.join(", ")}, got ${JSON.stringify(role)?.slice(0, 60)}. Name one of these.`,
        { code: "refused-messages" },
      );
    }
    for (const [name, value] of Object.entries({ content, reasoning })) {
      if (typeof value !== "string")
        throw new ChatTemplateError(
          `${where}.${name}: expected a text, got ${typeof value}. Pass a string.`,
          { code: "refused-messages" },
        );
    }
    for (const [j, call] of toolCalls.entries()) checkArguments(call.arguments, `${where}.toolCalls[${j}]`);
  });
}

function checkArguments(text: string, where: string): void {
  try {
    if (/^\s*(\{|$)/.test(text)) JSON.parse(text || "{}");
    else throw new SyntaxError();
  } catch {
    throw new ChatTemplateError(
      `${where}.arguments: expected the text of a JSON object, got another. Leave the call out, or complete it.`,
      { code: "refused-messages" },
    );
  }
}

/** Turns every error of a template into a ChatTemplateError that says what kind of failure it was. */
function guarded<T>(expected: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const short = reason.length > 300 ? `${reason.slice(0, 300)}…` : reason;
    const [wanted, got, advice] =
      error instanceof TemplateRaised
        ? ["messages that the template accepts", `its refusal: "${short}"`, "Change the messages."]
        : error instanceof Unsupported
          ? ["only supported features of Jinja", short, "Use another template, or generate."]
          : [
              expected,
              error instanceof BudgetExceeded ? short : `the error "${short}"`,
              "Use another template.",
            ];
    throw new ChatTemplateError(`chat template: expected ${wanted}, got ${got}. ${advice}`, {
      code: error instanceof TemplateRaised ? "refused-messages" : "bad-chat-template",
      cause: error,
    });
  }
}
